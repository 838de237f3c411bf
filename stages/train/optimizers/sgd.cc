#include "stages/train/optimizers/sgd.h"

#include <cassert>

namespace weir {
namespace {

void Descend(std::span<float> values, const float* gradient, float rate) {
  float* const value = values.data();
  for (std::size_t i = 0; i < values.size(); ++i) {
    value[i] -= gradient[i] * rate;
  }
}

// A step of Nesterov's is the momentum of the next one, and the gradient's step with it.
void DescendWithMomentum(std::span<float> values, const float* gradient, float* velocity,
                         const Sgd::Params& params, float rate) {
  float* const value = values.data();
  const float momentum = static_cast<float>(params.momentum);
  const float ahead = params.nesterov ? momentum : 1;
  const float now = params.nesterov ? rate : 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float slope = gradient[i];
    velocity[i] = velocity[i] * momentum - slope * rate;
    value[i] += velocity[i] * ahead - slope * now;
  }
}

}  // namespace

std::string Sgd::declaration() const { return has_momentum() ? "sgd with momentum" : "sgd"; }

std::vector<std::string_view> Sgd::slot_names() const {
  if (has_momentum()) return {"momentum"};
  return {};
}

void Sgd::Step(std::span<float> values, std::span<const float> gradients, Slots slots,
               std::uint64_t, double learning_rate) const {
  assert(gradients.size() == values.size());
  const float rate = static_cast<float>(learning_rate);
  if (!has_momentum()) return Descend(values, gradients.data(), rate);
  assert(slots[0].size() == values.size());
  DescendWithMomentum(values, gradients.data(), slots[0].data(), params_, rate);
}

}  // namespace weir
