#include "stages/train/metrics/top_k.h"

#include <cmath>
#include <cstddef>

#include "framework/error.h"

namespace weir {

void TopK::CheckClasses(int classes) const {
  if (params_.k <= classes) return;
  throw Error(ErrorKind::kConfig,
              "training.metrics: top_k with k: " + std::to_string(params_.k) +
                  " is more than the " + std::to_string(classes) + " classes",
              "Give a smaller k.");
}

double TopK::Of(std::span<const float> logits, const Sample& sample) const {
  const auto label = static_cast<std::size_t>(sample.label);
  if (std::isnan(logits[label])) return 0;
  int before = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    before += logits[i] > logits[label] || (i < label && logits[i] == logits[label]);
  }
  return before < params_.k ? 1 : 0;
}

}  // namespace weir
