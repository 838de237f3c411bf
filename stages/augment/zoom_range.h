// How far augmentation zooms, as Keras' zoom_range takes it: a number z for [1 - z, 1 + z], or the
// two ends [low, high] themselves. Above 1 the picture gets smaller.
#pragma once

#include <optional>

#include "framework/config/params.h"

namespace weir {

struct ZoomRange {
  static constexpr double kLeast = 0.01;
  static constexpr double kMost = 100;

  double low = 1;
  double high = 1;
};

template <>
struct ParamType<ZoomRange> {
  static TypeWords Words(const FieldRules& rules);
  static std::optional<ZoomRange> Read(const YamlNode& node, const FieldRules& rules,
                                       Problems& problems);
  static YamlNode Write(const ZoomRange& zoom, const FieldRules& rules);  // the two ends
  static YamlNode Schema(const FieldRules& rules);
};

}  // namespace weir
