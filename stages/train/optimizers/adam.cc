#include "stages/train/optimizers/adam.h"

#include <ATen/core/Tensor.h>

#include <cassert>
#include <cmath>

#include "stages/train/optimizers/gather_squares.h"

namespace weir {
namespace {

// The learning rate with the bias of both means taken off: they start from zero.
template <class Params>
double UnbiasedRate(const Params& params, double learning_rate, std::uint64_t step) {
  const double count = static_cast<double>(step);
  return learning_rate * std::sqrt(1 - std::pow(params.moments.beta_2, count)) /
         (1 - std::pow(params.moments.beta_1, count));
}

}  // namespace

template <bool kDecays>
void AdamOptimizer<kDecays>::Step(std::span<float> values, std::span<const float> gradients,
                                  Slots slots, std::uint64_t step, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && slots[0].size() == count && slots[1].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  float* const first = slots[0].data();
  float* const second = slots[1].data();
  const float alpha = static_cast<float>(UnbiasedRate(params_, learning_rate, step));
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

template <bool kDecays>
void AdamOptimizer<kDecays>::Step(const at::Tensor& values, const at::Tensor& gradients,
                                  std::span<const at::Tensor> slots, std::uint64_t step,
                                  double learning_rate) const {
  assert(slots.size() == 2);
  slots[0].lerp_(gradients, 1 - params_.moments.beta_1);
  GatherSquares(slots[1], gradients, params_.moments.beta_2);
  values.addcdiv_(slots[0], slots[1].sqrt().add_(params_.moments.epsilon),
                  -UnbiasedRate(params_, learning_rate, step));
}

template class AdamOptimizer<false>;
template class AdamOptimizer<true>;

}  // namespace weir
