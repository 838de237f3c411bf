// The layers of a head, as tests declare them.
#pragma once

#include <memory>

#include "stages/model/head/batch_norm_layer.h"
#include "stages/model/head/dense_layer.h"
#include "stages/model/head/dropout_layer.h"
#include "stages/model/head/flatten_layer.h"
#include "stages/model/head/global_pooling_layers.h"

namespace weir {

using HeadPart = std::shared_ptr<const HeadLayer>;

inline HeadPart HeadAveragePooling() {
  return std::make_shared<GlobalAveragePoolingLayer>(GlobalPoolingLayer::Params{});
}
inline HeadPart HeadMaxPooling() {
  return std::make_shared<GlobalMaxPoolingLayer>(GlobalPoolingLayer::Params{});
}
inline HeadPart HeadFlatten() { return std::make_shared<FlattenLayer>(FlattenLayer::Params{}); }
inline HeadPart HeadDropout(double rate = 0.5) {
  return std::make_shared<DropoutLayer>(DropoutLayer::Params{rate});
}
inline HeadPart HeadBatchNorm(double momentum = 0.99) {
  return std::make_shared<BatchNormLayer>(BatchNormLayer::Params{.momentum = momentum});
}
inline HeadPart HeadDense(Units units, Activation activation = Activation::kLinear) {
  return std::make_shared<DenseLayer>(DenseLayer::Params{units, activation});
}
inline HeadPart HeadDenseOfClasses(Activation activation = Activation::kLinear) {
  return HeadDense(Units::OfClasses(), activation);
}

}  // namespace weir
