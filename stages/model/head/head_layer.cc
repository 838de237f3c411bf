#include "stages/model/head/head_layer.h"

#include <array>
#include <nlohmann/json.hpp>

#include "framework/error.h"
#include "stages/model/head/batch_norm_layer.h"
#include "stages/model/head/dense_layer.h"
#include "stages/model/head/dropout_layer.h"
#include "stages/model/head/flatten_layer.h"
#include "stages/model/head/global_pooling_layers.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kLayers{
    PartOf<HeadLayer, GlobalAveragePoolingLayer>(),
    PartOf<HeadLayer, GlobalMaxPoolingLayer>(),
    PartOf<HeadLayer, FlattenLayer>(),
    PartOf<HeadLayer, DropoutLayer>(),
    PartOf<HeadLayer, BatchNormLayer>(),
    PartOf<HeadLayer, DenseLayer>(),
};
// clang-format on

}  // namespace

std::string HeadArrayName(int layer, std::string_view array) {
  return "head." + std::to_string(layer) + "." + std::string(array);
}

std::span<const Part<HeadLayer>> HeadLayer::All() { return kLayers; }

void HeadLayer::CheckLast() const {
  throw Error(ErrorKind::kConfig,
              "model.head: it ends with " + std::string(name()) + ", which gives no value a class",
              kEndOfHead);
}

std::string HeadLayer::NumberText(double value) { return nlohmann::json(value).dump(); }

}  // namespace weir
