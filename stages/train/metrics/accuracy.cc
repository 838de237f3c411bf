#include "stages/train/metrics/accuracy.h"

#include <algorithm>

namespace weir {

int Largest(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

double Accuracy::Of(std::span<const float> logits, const Sample& sample) const {
  return Largest(logits) == sample.label ? 1 : 0;
}

}  // namespace weir
