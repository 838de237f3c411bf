#include "stages/train/optimizer.h"

#include <cassert>
#include <cmath>
#include <numbers>
#include <string>

#include "framework/error.h"

namespace weir {
namespace {

using Kind = OptimizerConfig::Kind;

void Require(bool in_range, const std::string& key, const std::string& range) {
  if (!in_range) {
    throw Error(ErrorKind::kConfig, "training.optimizer: " + key + " is out of range",
                "Give it a number " + range + ".");
  }
}

void Adam(std::size_t count, float* value, const float* gradient, float* first, float* second,
          const OptimizerConfig& config, double step, double rate) {
  const bool decoupled = config.kind == Kind::kAdamW;
  const float alpha = static_cast<float>(rate * std::sqrt(1 - std::pow(config.beta_2, step)) /
                                         (1 - std::pow(config.beta_1, step)));
  const float keep = decoupled ? static_cast<float>(1 - config.weight_decay * rate) : 1;
  const float decay = decoupled ? 0 : static_cast<float>(config.weight_decay);
  const float first_share = static_cast<float>(1 - config.beta_1);
  const float second_share = static_cast<float>(1 - config.beta_2);
  const float epsilon = static_cast<float>(config.epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + decay * value[i];
    first[i] += (slope - first[i]) * first_share;
    second[i] += (slope * slope - second[i]) * second_share;
    value[i] = value[i] * keep - first[i] * alpha / (std::sqrt(second[i]) + epsilon);
  }
}

void Sgd(std::size_t count, float* value, const float* gradient, const OptimizerConfig& config,
         double learning_rate) {
  const float rate = static_cast<float>(learning_rate);
  const float decay = static_cast<float>(config.weight_decay);
  for (std::size_t i = 0; i < count; ++i) {
    value[i] -= (gradient[i] + decay * value[i]) * rate;
  }
}

void SgdWithMomentum(std::size_t count, float* value, const float* gradient, float* velocity,
                     const OptimizerConfig& config, double learning_rate) {
  const float rate = static_cast<float>(learning_rate);
  const float decay = static_cast<float>(config.weight_decay);
  const float momentum = static_cast<float>(config.momentum);
  const float ahead = config.nesterov ? momentum : 1;
  const float now = config.nesterov ? rate : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + decay * value[i];
    velocity[i] = velocity[i] * momentum - slope * rate;
    value[i] += velocity[i] * ahead - slope * now;
  }
}

void Rmsprop(std::size_t count, float* value, const float* gradient, float* square,
             const OptimizerConfig& config, double learning_rate) {
  const float rate = static_cast<float>(learning_rate);
  const float decay = static_cast<float>(config.weight_decay);
  const float rho = static_cast<float>(config.rho);
  const float share = static_cast<float>(1 - config.rho);
  const float epsilon = static_cast<float>(config.epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + decay * value[i];
    square[i] = rho * square[i] + share * slope * slope;
    value[i] -= rate * slope / std::sqrt(square[i] + epsilon);
  }
}

void RmspropWithMomentum(std::size_t count, float* value, const float* gradient, float* square,
                         float* velocity, const OptimizerConfig& config, double learning_rate) {
  const float rate = static_cast<float>(learning_rate);
  const float decay = static_cast<float>(config.weight_decay);
  const float rho = static_cast<float>(config.rho);
  const float share = static_cast<float>(1 - config.rho);
  const float epsilon = static_cast<float>(config.epsilon);
  const float momentum = static_cast<float>(config.momentum);
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + decay * value[i];
    square[i] = rho * square[i] + share * slope * slope;
    velocity[i] = momentum * velocity[i] + rate * slope / std::sqrt(square[i] + epsilon);
    value[i] -= velocity[i];
  }
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config) : config_(config) {
  Require(config.learning_rate > 0 && std::isfinite(config.learning_rate), "learning_rate",
          "above 0");
  Require(config.weight_decay >= 0 && std::isfinite(config.weight_decay), "weight_decay",
          "from 0 up");
  Require(config.momentum >= 0 && config.momentum < 1, "momentum", "from 0 up, below 1");
  switch (config.kind) {
    case Kind::kAdam:
    case Kind::kAdamW:
      Require(config.beta_1 >= 0 && config.beta_1 < 1, "beta_1", "from 0 up, below 1");
      Require(config.beta_2 >= 0 && config.beta_2 < 1, "beta_2", "from 0 up, below 1");
      Require(config.epsilon > 0, "epsilon", "above 0");
      slot_names_ = {"momentum", "velocity"};
      break;
    case Kind::kSgd:
      if (config.momentum > 0) slot_names_ = {"momentum"};
      break;
    case Kind::kRmsprop:
      Require(config.rho >= 0 && config.rho < 1, "rho", "from 0 up, below 1");
      Require(config.epsilon > 0, "epsilon", "above 0");
      slot_names_ = {"velocity"};
      if (config.momentum > 0) slot_names_.push_back("momentum");
      break;
  }
}

void Optimizer::Step(std::span<float> values, std::span<const float> gradients, const Slots& slots,
                     std::uint64_t step, double learning_rate) const {
  const std::size_t count = values.size();
  assert(gradients.size() == count && step > 0);
  for (std::size_t i = 0; i < slot_names_.size(); ++i) assert(slots[i].size() == count);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  switch (config_.kind) {
    case Kind::kAdam:
    case Kind::kAdamW:
      return Adam(count, value, gradient, slots[0].data(), slots[1].data(), config_,
                  static_cast<double>(step), learning_rate);
    case Kind::kSgd:
      if (config_.momentum == 0) return Sgd(count, value, gradient, config_, learning_rate);
      return SgdWithMomentum(count, value, gradient, slots[0].data(), config_, learning_rate);
    case Kind::kRmsprop:
      if (config_.momentum == 0) {
        return Rmsprop(count, value, gradient, slots[0].data(), config_, learning_rate);
      }
      return RmspropWithMomentum(count, value, gradient, slots[0].data(), slots[1].data(), config_,
                                 learning_rate);
  }
}

double LearningRate(const TrainingConfig& config, int epoch) {
  const double base = config.optimizer.learning_rate;
  if (config.schedule == Schedule::kConstant) return base;
  return base * (1 + std::cos(std::numbers::pi * epoch / config.epochs)) / 2;
}

}  // namespace weir
