#include "stages/train/optimizers/lion.h"

#include <cassert>

namespace weir {

// Adding 0 times the direction hands on what is not a number, whose sign would be 0.
void Lion::Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                std::uint64_t, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && slots[0].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  float* const mean = slots[0].data();
  const float rate = static_cast<float>(learning_rate);
  const float keep = static_cast<float>(params_.beta_1);
  const float share = static_cast<float>(1 - params_.beta_1);
  const float keep_for_next = static_cast<float>(params_.beta_2);
  const float share_for_next = static_cast<float>(1 - params_.beta_2);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i];
    const float direction = mean[i] * keep + slope * share;
    const float sign = static_cast<float>((direction > 0) - (direction < 0));
    value[i] -= rate * (sign + 0 * direction);
    mean[i] = mean[i] * keep_for_next + slope * share_for_next;
  }
}

}  // namespace weir
