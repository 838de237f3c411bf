#include "stages/train/optimizers/adam.h"

#include <cassert>
#include <cmath>

namespace weir {

template <bool kDecays>
void AdamOptimizer<kDecays>::Step(std::span<float> values, std::span<const float> gradients,
                                  Slots slots, std::uint64_t step, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && slots[0].size() == count && slots[1].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  float* const first = slots[0].data();
  float* const second = slots[1].data();
  const float alpha = static_cast<float>(UnbiasedRate(params_.moments, learning_rate, step));
  const float first_share = static_cast<float>(1 - params_.moments.beta_1);
  const float second_share = static_cast<float>(1 - params_.moments.beta_2);
  const float epsilon = static_cast<float>(params_.moments.epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i];
    first[i] += (slope - first[i]) * first_share;
    second[i] += (slope * slope - second[i]) * second_share;
    value[i] -= first[i] * alpha / (std::sqrt(second[i]) + epsilon);
  }
}

template class AdamOptimizer<false>;
template class AdamOptimizer<true>;

}  // namespace weir
