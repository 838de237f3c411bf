// The warm-up that every schedule may begin with: the rate rises on a line, step by step, from a
// part of the schedule's first rate to all of it (Goyal et al., 2017, arXiv:1706.02677). Then the
// schedule begins, as in PyTorch's SequentialLR of a LinearLR and the schedule, and Keras'
// warmup_steps.
//
//   | key     | PyTorch's LinearLR  | Keras' CosineDecay     | timm          |
//   |---------|---------------------|------------------------|---------------|
//   | steps   | total_iters         | warmup_steps           |               |
//   | epochs  |                     |                        | warmup_epochs |
//   | from    | start_factor, 1 / 3 | initial_learning_rate, | warmup_lr,    |
//   |         |                     | a rate                 | a rate        |
//
// Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "framework/config/params.h"

namespace weir {

struct WarmUp {
  std::optional<std::uint64_t> steps{};
  std::optional<double> epochs{};
  double from = 0;

  static auto Fields() {
    return std::tuple{
        Field{"steps", &WarmUp::steps, "How many steps it takes; or give `epochs`.", AtLeast{1}},
        Field{"epochs", &WarmUp::epochs,
              "How many epochs it takes, parts of one too, rounded to whole steps; or give "
              "`steps`.",
              MoreThan{0}},
        Field{"from", &WarmUp::from,
              "The part of the schedule's first rate that the first step has.", Range{0, 1}}};
  }
  // Refuses both of `steps` and `epochs`, and neither.
  void Check(const Blame& blame) const;

  // What it takes, a whole number; `steps_per_epoch` is of no use where `steps` is given.
  double StepsOf(std::uint64_t steps_per_epoch) const;
  std::string Text() const;  // "500 steps", "0.5 epochs"
};

// The field of it that the Params of each schedule have.
template <class Params>
Field<Params, std::optional<WarmUp>> WarmUpField() {
  return {"warm_up", &Params::warm_up,
          "Lets the rate rise on a line first; the schedule begins behind it, with the rest of the "
          "steps for its own."};
}

// A number of epochs, parts of one too, in whole steps: the nearest.
double StepsInEpochs(double epochs, std::uint64_t steps_per_epoch);

// "1 step", "0.5 epochs".
std::string CountText(double count, const std::string& things);

}  // namespace weir
