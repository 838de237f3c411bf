#include "stages/train/losses/focal.h"

#include <cmath>

#include "stages/train/losses/softmax.h"

namespace weir {
namespace {

// What one class gives to the loss where its target is 1 and alpha is 1.
struct Term {
  double loss = 0;
  double slope = 0;  // p * d loss / d p
};

// `log_p` is the logarithm of p, from which 1 - p keeps its digits where p is near 1.
Term TermOf(double log_p, double gamma) {
  const double rest = -std::expm1(log_p);  // 1 - p
  const double modulation = std::pow(rest, gamma);
  // gamma (1 - p)^(gamma - 1) p log p, which goes to 0 with 1 - p.
  const double turn = rest > 0 ? gamma * modulation / rest * std::exp(log_p) * log_p : 0;
  return {-modulation * log_p, turn - modulation};
}

}  // namespace

double Focal::Of(std::span<const float> logits, const Sample& sample) const {
  const double total = LogSumExp(logits);
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double target =
        TargetOf(sample, static_cast<int>(i), params_.label_smoothing, logits.size());
    if (target > 0) loss += target * TermOf(logits[i] - total, params_.gamma).loss;
  }
  return params_.alpha * loss;
}

// With q_c = target_c * p_c * d loss / d p_c and d p_c / d logit_i = p_c ([c = i] - p_i), the
// gradient is q_i - p_i * sum(q).
double Focal::Gradient(std::span<float> logits, const Sample& sample, double scale) const {
  const double total = LogSumExp(logits);
  double loss = 0, slopes = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double target =
        TargetOf(sample, static_cast<int>(i), params_.label_smoothing, logits.size());
    if (target == 0) continue;
    const Term term = TermOf(logits[i] - total, params_.gamma);
    loss += target * term.loss;
    slopes += target * term.slope;
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double target =
        TargetOf(sample, static_cast<int>(i), params_.label_smoothing, logits.size());
    const double log_p = logits[i] - total;
    const double slope = target > 0 ? target * TermOf(log_p, params_.gamma).slope : 0;
    logits[i] = static_cast<float>(scale * params_.alpha * (slope - std::exp(log_p) * slopes));
  }
  return params_.alpha * loss;
}

}  // namespace weir
