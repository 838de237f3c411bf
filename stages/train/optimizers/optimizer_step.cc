#include "stages/train/optimizers/optimizer_step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/flow/parallel.h"
#include "stages/train/optimizers/sum_of_squares.h"

namespace weir {
namespace {

constexpr std::size_t kValuesOfAPart = std::size_t{1} << 17;

std::vector<StepSpan> Cut(const std::vector<StepSpan>& spans) {
  std::vector<StepSpan> parts;
  for (const StepSpan& span : spans) {
    for (std::size_t done = 0; done < span.count; done += kValuesOfAPart) {
      StepSpan part = span;
      part.begin = span.begin + done;
      part.count = std::min(kValuesOfAPart, span.count - done);
      parts.push_back(part);
    }
  }
  return parts;
}

// What gradients of this norm are scaled by: 1 where it is within the limit. A norm that is no
// finite number makes every gradient not a number, as in Keras, rather than zero.
double ScaleOf(double norm, double limit) { return limit / std::max(norm, limit) + (norm - norm); }

void Scale(std::span<float> gradients, double scale) {
  const float by = static_cast<float>(scale);
  for (float& gradient : gradients) gradient *= by;
}

// Keeps what is not a number.
void Clamp(std::span<float> gradients, double limit) {
  const float high = static_cast<float>(limit);
  for (float& gradient : gradients) {
    gradient = gradient > high ? high : gradient < -high ? -high : gradient;
  }
}

void DecayInStep(std::span<float> values, double decay, double rate) {
  const float keep = static_cast<float>(1 - decay * rate);
  for (float& value : values) value *= keep;
}

void DecayInLoss(std::span<const float> values, std::span<float> gradients, double decay) {
  const float share = static_cast<float>(decay);
  for (std::size_t i = 0; i < values.size(); ++i) gradients[i] += share * values[i];
}

}  // namespace

OptimizerStep::OptimizerStep(const Optimizer& optimizer, std::vector<StepSpan> spans)
    : optimizer_(optimizer),
      spans_(std::move(spans)),
      parts_(optimizer.needs_whole_parameters() ? spans_ : Cut(spans_)) {}

double OptimizerStep::NormOf(std::span<const float> gradients) const {
  std::vector<double> sums(parts_.size());
  ParallelFor(static_cast<int>(parts_.size()), [&](int i) {
    sums[i] = SumOfSquares(gradients.subspan(parts_[i].begin, parts_[i].count));
  });
  double sum = 0;
  for (const double each : sums) sum += each;
  return std::sqrt(sum);
}

void OptimizerStep::Apply(std::span<float> values, std::span<float> gradients,
                          Optimizer::Slots slots, std::uint64_t step, double learning_rate) const {
  const OptimizerOptions& options = optimizer_.options();
  const double scale = options.clip_norm ? ScaleOf(NormOf(gradients), *options.clip_norm) : 1;
  ParallelFor(static_cast<int>(parts_.size()), [&](int i) {
    const StepSpan& part = parts_[i];
    const auto of = [&](std::span<float> run) { return run.subspan(part.begin, part.count); };
    const double rate = learning_rate * part.rate_factor;
    if (scale != 1) Scale(of(gradients), scale);
    if (options.clip_value) Clamp(of(gradients), *options.clip_value);
    if (part.weight_decay != 0) {
      if (options.weight_decay_in == WeightDecayIn::kStep) {
        DecayInStep(of(values), part.weight_decay, rate);
      } else {
        DecayInLoss(of(values), of(gradients), part.weight_decay);
      }
    }
    std::vector<std::span<float>> part_slots;
    for (const std::span<float> slot : slots) part_slots.push_back(of(slot));
    optimizer_.Step(of(values), of(gradients), part_slots, step - part.begun, rate);
  });
}

}  // namespace weir
