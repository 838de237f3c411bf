#include "stages/train/activation_plan.h"

#include <algorithm>

#include "stages/train/head/head_operations.h"

namespace weir {
namespace {

// What LibTorch allocates in passing, and pages that free blocks share with used ones.
constexpr std::size_t kSlackBytes = std::size_t{512} << 10;

}  // namespace

std::size_t InferenceBytes(const Model& model, int samples) {
  return InferenceSteps(model).PeakBytes(samples) + kSlackBytes;
}

std::size_t LearningBytes(const Model& model, int samples, Activations activations) {
  return LearningSteps(model, activations).PeakBytes(samples) + kSlackBytes;
}

std::size_t StagingBytes(const Model& model, int samples) {
  const int layers = static_cast<int>(model.head().size());
  std::size_t most = HeadOutput(model, layers - 1).bytes(samples);
  for (int i = model.first_head_layer(); i < layers; ++i) {
    most = std::max(most, PlanOfHead(model, i, true).drawn_on_host.bytes(samples));
  }
  return most + kSlackBytes;
}

}  // namespace weir
