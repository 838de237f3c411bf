// The map as one vector, in Keras' order: rows, columns, channels.
#pragma once

#include <array>
#include <tuple>

#include "framework/shape.h"
#include "stages/model/head/head_layer.h"

namespace weir {

class FlattenLayer final : public HeadLayer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"flatten"};
  static constexpr std::string_view kDoc = "The map as one vector, channels last.";

  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  explicit FlattenLayer(const Params&) {}

  std::string_view name() const override { return kNames.front(); }
  YamlNode ToYaml() const override { return WriteNamedParams(name(), weir::ToYaml(Params{})); }
  Shape OutputDims(const Shape& input, const HeadPlace&) const override {
    return {ValuesIn(input)};
  }
};

}  // namespace weir
