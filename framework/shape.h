// The shape of a tensor. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

// The sizes of the axes, the outermost first: [h, w, C]. Empty for a single value.
using Shape = std::vector<std::int64_t>;

// How many values a tensor of that shape has. The product fits: a shape that a file states is
// checked by its reader first.
inline std::int64_t ValuesIn(const Shape& shape) {
  std::int64_t values = 1;
  for (const std::int64_t size : shape) values *= size;
  return values;
}

// The shape of `count` tensors, each of the shape `one`: [count, h, w, C].
Shape BatchShape(std::int64_t count, const Shape& one);

// "[224, 224, 3]".
std::string ToText(const Shape& shape);

}  // namespace weir
