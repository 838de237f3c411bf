#include "stages/augment/lower_size.h"

#include <algorithm>
#include <string>
#include <utility>

namespace weir {
namespace {

constexpr int kSmallestSide = 32;
constexpr int kSideStep = 32;

std::string SizeText(int height, int width) {
  return "[" + std::to_string(height) + ", " + std::to_string(width) + "]";
}

}  // namespace

std::vector<Lowerable> LowerSizes(const PictureSize& size) {
  Lowerable lower{.parameter = "size",
                  .now = SizeText(size.height, size.width),
                  .values = {},
                  .alters = Lowerable::Alters::kSamples};
  const int side = std::min(size.height, size.width);
  for (int less = (side - 1) / kSideStep * kSideStep; less >= kSmallestSide; less -= kSideStep) {
    lower.values.push_back(SizeText(less, less));
  }
  if (lower.values.empty()) return {};
  return {std::move(lower)};
}

}  // namespace weir
