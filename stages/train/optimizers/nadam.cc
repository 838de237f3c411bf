#include "stages/train/optimizers/nadam.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace weir {
namespace {

constexpr double kMomentumDecay = 0.96;
// From this step on, 0.5 * 0.96^step is less than what changes a double near 1.
constexpr std::uint64_t kLastFactor = 1024;

double Momentum(double beta_1, std::uint64_t step) {
  return beta_1 * (1 - 0.5 * std::pow(kMomentumDecay, static_cast<double>(step)));
}

// The product of the momentums of the steps from 1 to `step`.
double MomentumProduct(double beta_1, std::uint64_t step) {
  double product = std::pow(beta_1, static_cast<double>(step));
  double decay = 1;
  for (std::uint64_t i = 0; i < std::min(step, kLastFactor); ++i) {
    decay *= kMomentumDecay;
    product *= 1 - 0.5 * decay;
  }
  return product;
}

}  // namespace

Nadam::Shares Nadam::SharesAt(std::uint64_t step) const {
  const double now = Momentum(params_.moments.beta_1, step),
               next = Momentum(params_.moments.beta_1, step + 1);
  const double product = MomentumProduct(params_.moments.beta_1, step);
  return {.of_mean = next / (1 - product * next),
          .of_gradient = (1 - now) / (1 - product),
          .of_squares = Unbiasing(params_.moments.beta_2, step)};
}

void Nadam::Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                 std::uint64_t step, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && slots[0].size() == count && slots[1].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  float* const first = slots[0].data();
  float* const second = slots[1].data();
  const Shares shares = SharesAt(step);
  const float of_mean = static_cast<float>(shares.of_mean * learning_rate);
  const float of_gradient = static_cast<float>(shares.of_gradient * learning_rate);
  const float of_squares = static_cast<float>(shares.of_squares);
  const float first_share = static_cast<float>(1 - params_.moments.beta_1);
  const float second_share = static_cast<float>(1 - params_.moments.beta_2);
  const float epsilon = static_cast<float>(params_.moments.epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i];
    first[i] += (slope - first[i]) * first_share;
    second[i] += (slope * slope - second[i]) * second_share;
    value[i] -=
        (first[i] * of_mean + slope * of_gradient) / (std::sqrt(second[i] * of_squares) + epsilon);
  }
}

}  // namespace weir
