#include "stages/train/optimizers/rmsprop.h"

#include <cassert>
#include <cmath>

namespace weir {
namespace {

void Descend(std::span<float> values, const float* gradient, float* square,
             const Rmsprop::Params& params, float rate) {
  float* const value = values.data();
  const float rho = static_cast<float>(params.rho);
  const float share = static_cast<float>(1 - params.rho);
  const float epsilon = static_cast<float>(params.epsilon);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float slope = gradient[i];
    square[i] = rho * square[i] + share * slope * slope;
    value[i] -= rate * slope / std::sqrt(square[i] + epsilon);
  }
}

void DescendWithMomentum(std::span<float> values, const float* gradient, float* square,
                         float* velocity, const Rmsprop::Params& params, float rate) {
  float* const value = values.data();
  const float rho = static_cast<float>(params.rho);
  const float share = static_cast<float>(1 - params.rho);
  const float epsilon = static_cast<float>(params.epsilon);
  const float momentum = static_cast<float>(params.momentum);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float slope = gradient[i];
    square[i] = rho * square[i] + share * slope * slope;
    velocity[i] = momentum * velocity[i] + rate * slope / std::sqrt(square[i] + epsilon);
    value[i] -= velocity[i];
  }
}

}  // namespace

std::string Rmsprop::declaration() const {
  return has_momentum() ? "rmsprop with momentum" : "rmsprop";
}

std::vector<std::string_view> Rmsprop::slot_names() const {
  if (has_momentum()) return {"velocity", "momentum"};
  return {"velocity"};
}

void Rmsprop::Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                   std::uint64_t, double learning_rate) const {
  assert(gradients.size() == values.size() && slots[0].size() == values.size());
  const float rate = static_cast<float>(learning_rate);
  if (!has_momentum()) {
    return Descend(values, gradients.data(), slots[0].data(), params_, rate);
  }
  assert(slots[1].size() == values.size());
  DescendWithMomentum(values, gradients.data(), slots[0].data(), slots[1].data(), params_, rate);
}

}  // namespace weir
