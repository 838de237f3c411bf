#include "stages/train/loss.h"

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

template <class Visit>
void ForEachPart(const Sample& sample, Visit visit) {
  if (sample.mixture.empty()) return visit(LabelPart{sample.label});
  for (const LabelPart& part : sample.mixture) visit(part);
}

}  // namespace

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  const double total = LogSumExp(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = static_cast<float>(std::exp(logits[i] - total));
  }
}

double CrossEntropy(std::span<const float> logits, const Sample& sample, double smoothing) {
  const double total = LogSumExp(logits);
  double loss = 0;
  ForEachPart(sample, [&](const LabelPart& part) {
    assert(part.label >= 0 && static_cast<std::size_t>(part.label) < logits.size());
    loss += part.part * (total - logits[part.label]);
  });
  loss *= 1 - smoothing;
  if (smoothing > 0) {
    double mean = 0;
    for (float logit : logits) mean += logit;
    loss += smoothing * (total - mean / static_cast<double>(logits.size()));
  }
  return loss;
}

double CrossEntropyGradient(std::span<float> logits, const Sample& sample, double smoothing,
                            double scale) {
  const double loss = CrossEntropy(logits, sample, smoothing);
  const double total = LogSumExp(logits);
  const double everywhere = smoothing / static_cast<double>(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    double target = everywhere;
    ForEachPart(sample, [&](const LabelPart& part) {
      if (static_cast<int>(i) == part.label) target += (1 - smoothing) * part.part;
    });
    logits[i] = static_cast<float>(scale * (std::exp(logits[i] - total) - target));
  }
  return loss;
}

int Largest(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace weir
