// One value a channel, of all pixels of a map: their mean, or the largest. A frozen backbone
// computes them with its last map, so that features are vectors.
#pragma once

#include <array>
#include <tuple>

#include "framework/shape.h"
#include "stages/model/head/head_layer.h"

namespace weir {

class GlobalPoolingLayer : public HeadLayer {
 public:
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  YamlNode ToYaml() const override { return WriteNamedParams(name(), weir::ToYaml(Params{})); }
  Shape OutputDims(const Shape& input, const HeadPlace& place) const override;
};

class GlobalAveragePoolingLayer final : public GlobalPoolingLayer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"global_average_pooling"};
  static constexpr std::string_view kDoc = "The mean over the map.";

  explicit GlobalAveragePoolingLayer(const Params&) {}

  std::string_view name() const override { return kNames.front(); }
  Pooling pooling() const override { return Pooling::kAverage; }
};

class GlobalMaxPoolingLayer final : public GlobalPoolingLayer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"global_max_pooling"};
  static constexpr std::string_view kDoc = "The largest over the map.";

  explicit GlobalMaxPoolingLayer(const Params&) {}

  std::string_view name() const override { return kNames.front(); }
  Pooling pooling() const override { return Pooling::kMax; }
};

}  // namespace weir
