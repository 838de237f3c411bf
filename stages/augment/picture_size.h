// The size of a picture, as the stages that resize or cut take it: [height, width] in pixels, or
// one number for a square.
#pragma once

#include <optional>

#include "framework/config/params.h"

namespace weir {

struct PictureSize {
  int height = 0;
  int width = 0;
};

// The limits of a field hold for each side.
template <>
struct ParamType<PictureSize> {
  static TypeWords Words(const FieldRules& rules);
  static std::optional<PictureSize> Read(const YamlNode& node, const FieldRules& rules,
                                         Problems& problems);
  static YamlNode Write(const PictureSize& size, const FieldRules& rules);  // [height, width]
  static YamlNode Schema(const FieldRules& rules);
};

// What other programs call such a field.
inline ElsewhereCalled SizeElsewhere() {
  return {"img_size",    "imgsz",     "image_size", "target_size", "input_size",
          "input_shape", "crop_size", "resize",     "resolution"};
}

}  // namespace weir
