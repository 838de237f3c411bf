#include "framework/shape.h"

namespace weir {

Shape BatchShape(std::int64_t count, const Shape& one) {
  Shape shape = {count};
  shape.insert(shape.end(), one.begin(), one.end());
  return shape;
}

std::string ToText(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

}  // namespace weir
