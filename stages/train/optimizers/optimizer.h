// How gradients become steps: one step of descent over arrays of floats.
// Each optimizer is a class in a file of its own in this folder and a row of the list in
// optimizer.cc; how it steps over arrays that are on a device is a file and a row in on_device/.
//
// The semantics are Keras 3's; the defaults of the two (ours are Keras'):
//
//   | key           | Keras 3                    | PyTorch                                  |
//   |---------------|----------------------------|------------------------------------------|
//   | learning_rate | 0.001, SGD 0.01            | 0.001, SGD 0.001, RMSprop and Adagrad    |
//   |               |                            | 0.01, NAdam 0.002; timm: Lion 1e-4       |
//   | beta_1, _2    | 0.9, 0.999; Lion 0.9, 0.99 | the same                                 |
//   | epsilon       | 1e-7; Adam's beside the    | 1e-8; Adam's beside the square root that |
//   |               | square root that is not    | is corrected for the bias, and Adagrad's |
//   |               | corrected, Adagrad's and   | (1e-10) and RMSprop's beside the root;   |
//   |               | RMSprop's inside the root  | timm: LAMB 1e-6                          |
//   | rho (RMSprop) | 0.9                        | 0.99 (alpha)                             |
//   | momentum      | 0; scaled by the rate when | 0; scaled by the rate when it is used    |
//   |               | it is gathered             |                                          |
//   | initial_accu- | 0.1                        | 0                                        |
//   | mulator_value |                            |                                          |
//   | weight_decay  | none, AdamW 0.004;         | 0, AdamW 0.01; in the gradient (`loss`), |
//   |               | decoupled (`step`) in all  | decoupled in AdamW; timm's LAMB adds it  |
//   |               |                            | to what its trust ratio scales           |
//
// Weight decay, limits of the gradients and rates of single layers are options of every optimizer
// (optimizer_options.h), and are seen to around Step (optimizer_step.h): weight decay is decoupled
// as in Keras (p -= p * decay * rate before the step; Loshchilov and Hutter, 2019), or with
// `weight_decay_in: loss` a part of the gradient (g += decay * p). Step itself knows nothing of it.
//
// Immutable; Step may be called from any thread on arrays of its own. A part of an array gives the
// same bits as the whole, unless needs_whole_parameters().
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/parts.h"
#include "stages/train/optimizers/optimizer_options.h"

namespace weir {

class Optimizer {
 public:
  static constexpr std::string_view kWord = "optimizer", kOne = "an optimizer",
                                    kMany = "optimizers";
  static std::span<const Part<Optimizer>> All();

  virtual ~Optimizer() = default;

  virtual std::string_view name() const = 0;  // as in the YAML: "adam"
  virtual YamlNode ToYaml() const = 0;
  virtual const OptimizerOptions& options() const = 0;

  // The rate that the schedule begins from (schedules/schedule.h).
  virtual double learning_rate() const = 0;

  // What a checkpoint declares, so that nobody goes on from the slots of another optimizer: the
  // name, and what else decides which slots there are ("sgd with momentum").
  virtual std::string declaration() const { return std::string(name()); }

  // What is kept of each value between steps: arrays as long as the values, which all begin with
  // slot_start().
  virtual std::vector<std::string_view> slot_names() const = 0;
  virtual double slot_start() const { return 0; }
  using Slots = std::span<const std::span<float>>;  // as slot_names()

  // Whether an array has to be one parameter (zeros may follow it), as its norm decides the step.
  virtual bool needs_whole_parameters() const { return false; }

  // `step` counts from 1. Arrays of one length.
  virtual void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
                    std::uint64_t step, double learning_rate) const = 0;
};

}  // namespace weir
