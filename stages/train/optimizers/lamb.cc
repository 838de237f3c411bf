#include "stages/train/optimizers/lamb.h"

#include <cassert>
#include <cmath>

#include "stages/train/optimizers/sum_of_squares.h"

namespace weir {
// Two passes: the norm of Adam's step has to be known before the step is made, and computing the
// step twice takes no array for it.
void Lamb::Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                std::uint64_t step, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && slots[0].size() == count && slots[1].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  float* const first = slots[0].data();
  float* const second = slots[1].data();
  const float of_mean = static_cast<float>(Unbiasing(params_.moments.beta_1, step));
  const float of_squares = static_cast<float>(Unbiasing(params_.moments.beta_2, step));
  const float first_share = static_cast<float>(1 - params_.moments.beta_1);
  const float second_share = static_cast<float>(1 - params_.moments.beta_2);
  const float epsilon = static_cast<float>(params_.moments.epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i];
    first[i] += (slope - first[i]) * first_share;
    second[i] += (slope * slope - second[i]) * second_share;
  }
  const auto adam = [=](std::size_t i) {
    return first[i] * of_mean / (std::sqrt(second[i] * of_squares) + epsilon);
  };
  const double length = std::sqrt(SumOfSquares(values)),
               of_step = std::sqrt(SumOfSquares(count, adam));
  const double trust = length > 0 && of_step > 0 ? length / of_step : 1;
  const float rate = static_cast<float>(trust * learning_rate);
  for (std::size_t i = 0; i < count; ++i) value[i] -= rate * adam(i);
}

}  // namespace weir
