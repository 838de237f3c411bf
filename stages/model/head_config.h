// The layers of `head:` as parameters (params.h). Internal to the section `model:`.
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "framework/config/params.h"
#include "stages/model/model_config.h"

namespace weir {

template <>
struct EnumNames<Activation> {
  static constexpr std::array kNames{
      std::pair{"linear", Activation::kLinear}, std::pair{"relu", Activation::kRelu},
      std::pair{"relu6", Activation::kRelu6},   std::pair{"sigmoid", Activation::kSigmoid},
      std::pair{"tanh", Activation::kTanh},     std::pair{"softmax", Activation::kSoftmax}};
};

template <>
struct EnumNames<HeadLayer::Kind> {
  using Kind = HeadLayer::Kind;
  static constexpr std::array kNames{
      std::pair{"global_average_pooling", Kind::kGlobalAveragePooling},
      std::pair{"global_max_pooling", Kind::kGlobalMaxPooling},
      std::pair{"flatten", Kind::kFlatten},
      std::pair{"dropout", Kind::kDropout},
      std::pair{"batch_norm", Kind::kBatchNorm},
      std::pair{"dense", Kind::kDense}};
};

template <>
struct ParamType<HeadLayer> {
  static TypeWords Words(const FieldRules&) { return {"a layer", "layers"}; }
  static std::optional<HeadLayer> Read(const YamlNode& node, const FieldRules&, Problems&);
  static YamlNode Write(const HeadLayer& layer, const FieldRules&);
  static YamlNode Schema(const FieldRules&);
};

// A row for each kind of layer.
std::vector<FieldDoc> DescribeHeadLayers();

}  // namespace weir
