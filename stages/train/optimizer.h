// One step of gradient descent over arrays of floats, in one pass over memory.
//
// The semantics are Keras 3's; the defaults of the two (ours are Keras', in OptimizerConfig):
//
//   | key           | Keras 3                    | PyTorch                                  |
//   |---------------|----------------------------|------------------------------------------|
//   | learning_rate | 0.001, SGD 0.01            | 0.001, SGD 0.001, RMSprop 0.01           |
//   | beta_1, _2    | 0.9, 0.999                 | 0.9, 0.999                               |
//   | epsilon       | 1e-7, beside the square    | 1e-8, beside the square root that is     |
//   |               | root that is not corrected | corrected for the bias                   |
//   | rho (RMSprop) | 0.9, epsilon inside the    | 0.99 (alpha), epsilon beside the root    |
//   |               | square root                |                                          |
//   | momentum      | 0; scaled by the rate when | 0; scaled by the rate when it is used    |
//   |               | it is gathered             |                                          |
//   | weight_decay  | none, AdamW 0.004          | 0, AdamW 0.01                            |
//
// Weight decay of AdamW is decoupled (p -= p * decay * rate before the step; Loshchilov and Hutter,
// 2019); of the others it is added to the gradient.
//
// Immutable; Step may be called from any thread on arrays of its own, and a part of an array gives
// the same bits as the whole.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "stages/train/training_config.h"

namespace at {
class Tensor;
}

namespace weir {

class Optimizer {
 public:
  static constexpr int kMostSlots = 2;
  using Slots = std::array<std::span<float>, kMostSlots>;  // unused ones are empty

  // Throws Error(kConfig) where a number is out of its range.
  explicit Optimizer(const OptimizerConfig& config);

  // What is kept of each value between steps: arrays as long as the values, from zeros.
  const std::vector<std::string_view>& slot_names() const { return slot_names_; }

  // `step` counts from 1. Arrays of one length.
  void Step(std::span<float> values, std::span<const float> gradients, const Slots& slots,
            std::uint64_t step, double learning_rate) const;

  // The same by LibTorch, where the arrays are on a device: float32 [n], slots as slot_names().
  // Agrees with the other to float32's rounding. Takes one more array for a moment, or two.
  void Step(const at::Tensor& values, const at::Tensor& gradients,
            std::span<const at::Tensor> slots, std::uint64_t step, double learning_rate) const;

 private:
  OptimizerConfig config_;
  std::vector<std::string_view> slot_names_;
};

// Of an epoch (from 0). kCosine: base * (1 + cos(pi * epoch / epochs)) / 2, constant within an
// epoch, so that it depends on nothing that a resumed run could know otherwise (Loshchilov and
// Hutter, 2017, without restarts; PyTorch's CosineAnnealingLR with T_max = epochs).
double LearningRate(const TrainingConfig& config, int epoch);

}  // namespace weir
