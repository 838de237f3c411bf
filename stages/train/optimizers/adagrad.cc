#include "stages/train/optimizers/adagrad.h"

#include <cassert>
#include <cmath>

namespace weir {

void Adagrad::Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                   std::uint64_t, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && slots[0].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  float* const squares = slots[0].data();
  const float rate = static_cast<float>(learning_rate);
  const float epsilon = static_cast<float>(params_.epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i];
    squares[i] += slope * slope;
    value[i] -= rate * slope / std::sqrt(squares[i] + epsilon);
  }
}

}  // namespace weir
