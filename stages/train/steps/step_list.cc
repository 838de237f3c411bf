#include "stages/train/steps/step_list.h"

#include <algorithm>

#include "stages/train/torch/best_fit_arena.h"

namespace weir {
namespace {

using Kind = TrainingStep::Kind;

// Whether it does more than write its arrays: the loss, parameters' gradients, running statistics.
bool HasAnotherEffect(const TrainingStep& step) {
  switch (step.kind) {
    case Kind::kNormalise:
      return !step.is_recomputed;
    case Kind::kLoss:
    case Kind::kHeadBackward:
    case Kind::kMaskAndSum:
    case Kind::kNormaliseBackward:
    case Kind::kKernelGradient:
    case Kind::kDenseBackward:
      return true;
    default:
      return false;
  }
}

template <class Visit>
void ForEachUsed(const TrainingStep& step, const Visit& visit) {
  for (int array : step.reads) visit(array);
  for (int array : step.writes) visit(array);
}

}  // namespace

int Owner(const std::vector<StepArray>& arrays, int array) {
  while (arrays[array].inside >= 0) array = arrays[array].inside;
  return array;
}

std::size_t FloatCount::bytes(int samples) const {
  constexpr std::size_t kAlignment = BestFitArena::kAlignment;
  const std::size_t bytes = (per_sample * samples + fixed) * sizeof(float);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::vector<std::size_t> TrainingSteps::BytesOf(int samples) const {
  std::vector<std::size_t> bytes;
  std::vector<bool> is_held(arrays.size());
  std::size_t held = 0;
  for (const TrainingStep& step : steps) {
    for (int array : step.writes) {
      if (is_held[array]) continue;
      is_held[array] = true;
      if (arrays[array].inside < 0) held += arrays[array].size.bytes(samples);
    }
    bytes.push_back(held + step.scratch.bytes(samples));
    for (int array : step.frees) {
      if (arrays[array].inside < 0) held -= arrays[array].size.bytes(samples);
    }
  }
  return bytes;
}

std::size_t TrainingSteps::PeakBytes(int samples) const {
  const std::vector<std::size_t> bytes = BytesOf(samples);
  return bytes.empty() ? 0 : *std::max_element(bytes.begin(), bytes.end());
}

int StepList::Add(StepArray array) {
  arrays_.push_back(array);
  return static_cast<int>(arrays_.size()) - 1;
}

TrainingStep& StepList::Step(Kind kind, int layer, std::vector<int> reads,
                             std::vector<int> writes) {
  steps_.push_back(
      {.kind = kind, .layer = layer, .reads = std::move(reads), .writes = std::move(writes)});
  return steps_.back();
}

TrainingSteps StepList::Finish(int output) && {
  // From the last step back: a step is needed for what a needed one behind it reads.
  std::vector<bool> is_needed(arrays_.size());
  const auto need = [&](int array) {
    is_needed[array] = true;
    is_needed[Owner(arrays_, array)] = true;
  };
  if (output >= 0) need(output);
  std::vector<TrainingStep> kept;
  std::ranges::reverse(steps_);
  for (TrainingStep& step : steps_) {
    const auto is_wanted = [&](int array) { return is_needed[array]; };
    if (!HasAnotherEffect(step) && std::ranges::none_of(step.writes, is_wanted)) continue;
    for (int array : step.reads) need(array);
    kept.push_back(std::move(step));
  }
  std::ranges::reverse(kept);

  std::vector<int> last_use(arrays_.size(), -1);  // by owner: the last step that uses its memory
  for (int i = 0; i < static_cast<int>(kept.size()); ++i) {
    ForEachUsed(kept[i], [&](int array) { last_use[Owner(arrays_, array)] = i; });
  }
  if (output >= 0) last_use[Owner(arrays_, output)] = -1;
  for (int array = 0; array < static_cast<int>(arrays_.size()); ++array) {
    const int last = last_use[Owner(arrays_, array)];
    if (last >= 0) kept[last].frees.push_back(array);
  }
  return {std::move(arrays_), std::move(kept), output};
}

}  // namespace weir
