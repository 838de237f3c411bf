#include "stages/train/losses/softmax.h"

#include <algorithm>
#include <cmath>

namespace weir {

double LogSumExp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  const double total = LogSumExp(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = static_cast<float>(std::exp(logits[i] - total));
  }
}

}  // namespace weir
