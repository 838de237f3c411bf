// How gradients become steps: one step of descent over arrays of floats, in one pass over memory.
// Each optimizer is a class in a file of its own in this folder and a row of the list in
// optimizer.cc.
//
// The semantics are Keras 3's; the defaults of the two (ours are Keras'):
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

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/parts.h"

namespace at {
class Tensor;
}

namespace weir {

class Optimizer {
 public:
  static constexpr std::string_view kWord = "optimizer", kOne = "an optimizer",
                                    kMany = "optimizers";
  static std::span<const Part<Optimizer>> All();

  virtual ~Optimizer() = default;

  virtual YamlNode ToYaml() const = 0;

  // The rate that the schedule begins from (schedules/schedule.h).
  virtual double learning_rate() const = 0;

  // What a checkpoint declares, so that nobody goes on from the slots of another optimizer: the
  // name, and what else decides which slots there are ("sgd with momentum").
  virtual std::string declaration() const = 0;

  // What is kept of each value between steps: arrays as long as the values, from zeros.
  virtual std::vector<std::string_view> slot_names() const = 0;
  using Slots = std::span<const std::span<float>>;  // as slot_names()

  // `step` counts from 1. Arrays of one length.
  virtual void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                    std::uint64_t step, double learning_rate) const = 0;

  // The same by LibTorch, where the arrays are on a device: float32 [n], slots as slot_names().
  // Agrees with the other to float32's rounding. Takes one more array for a moment, or two. Called
  // in inference mode.
  virtual void Step(const at::Tensor& values, const at::Tensor& gradients,
                    std::span<const at::Tensor> slots, std::uint64_t step,
                    double learning_rate) const = 0;
};

}  // namespace weir
