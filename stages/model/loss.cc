#include "stages/model/loss.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace weir {
namespace {

// log(sum(exp(logits))).
double LogSumExp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

}  // namespace

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  const double total = LogSumExp(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = static_cast<float>(std::exp(logits[i] - total));
  }
}

double CrossEntropy(std::span<const float> logits, int label, double smoothing) {
  assert(label >= 0 && static_cast<std::size_t>(label) < logits.size());
  const double total = LogSumExp(logits);
  double loss = (1 - smoothing) * (total - logits[label]);
  if (smoothing > 0) {
    double mean = 0;
    for (float logit : logits) mean += logit;
    loss += smoothing * (total - mean / static_cast<double>(logits.size()));
  }
  return loss;
}

double CrossEntropyGradient(std::span<float> logits, int label, double smoothing, double scale) {
  const double loss = CrossEntropy(logits, label, smoothing);
  const double total = LogSumExp(logits);
  const double everywhere = smoothing / static_cast<double>(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double target = everywhere + (static_cast<int>(i) == label ? 1 - smoothing : 0);
    logits[i] = static_cast<float>(scale * (std::exp(logits[i] - total) - target));
  }
  return loss;
}

int Largest(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace weir
