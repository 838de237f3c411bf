#include "stages/train/losses/cross_entropy.h"

#include <cassert>
#include <cmath>

#include "stages/train/losses/softmax.h"

namespace weir {

// Plain, it is its name alone.
YamlNode CrossEntropy::ToYaml() const {
  const bool is_plain = params_.label_smoothing == 0;
  return WriteNamedParams(kNames.front(), is_plain ? YamlNode::Map({}) : weir::ToYaml(params_));
}

double CrossEntropy::Of(std::span<const float> logits, const Sample& sample) const {
  const double smoothing = params_.label_smoothing;
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

double CrossEntropy::Gradient(std::span<float> logits, const Sample& sample, double scale) const {
  const double smoothing = params_.label_smoothing;
  const double loss = Of(logits, sample);
  const double total = LogSumExp(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double target = TargetOf(sample, static_cast<int>(i), smoothing, logits.size());
    logits[i] = static_cast<float>(scale * (std::exp(logits[i] - total) - target));
  }
  return loss;
}

}  // namespace weir
