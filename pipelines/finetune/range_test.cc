#include "pipelines/finetune/range_test.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace weir {
namespace {

// As fastai's lr_find has them, after Gugger, "How do you find a good learning rate" (2018).
constexpr double kBeta = 0.98;
constexpr double kDiverged = 4;  // times the lowest smoothed loss
constexpr double kLeastFall =
    0.95;                     // what is left of a loss that has fallen: batches differ by less
constexpr double kEdge = 10;  // the rate of the lowest loss, divided by this, still learns well

}  // namespace

double RateRange::RateOf(double step) const {
  return from * std::pow(to / from, step / (steps - 1));
}

std::string LearningRateText(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", rate);
  std::string shown = text;
  std::erase(shown, '+');  // 1e+03
  return shown;
}

void RateCurve::Add(double loss) {
  if (end_ != End::kNotYet) return;
  if (!std::isfinite(loss)) {
    end_ = End::kDiverged;
    return;
  }
  const double step = static_cast<double>(steps_.size());
  weighted_ = kBeta * weighted_ + (1 - kBeta) * loss;
  const double smoothed = weighted_ / (1 - std::pow(kBeta, step + 1));
  steps_.push_back({range_.RateOf(step), loss, smoothed});
  best_ = steps_.size() == 1 ? smoothed : std::min(best_, smoothed);
  if (smoothed > kDiverged * best_) {
    end_ = End::kDiverged;
  } else if (static_cast<int>(steps_.size()) == range_.steps) {
    end_ = End::kAllSteps;
  }
}

// Steps are a fixed factor of the rate apart, so that differences of the smoothed loss over two
// steps stand in for its slope.
std::optional<RateCurve::Findings> RateCurve::Find() const {
  const std::size_t skipped = static_cast<std::size_t>(range_.steps) / 10;
  if (steps_.size() < skipped + 3) return std::nullopt;
  const auto lowest =
      std::min_element(steps_.begin() + static_cast<std::ptrdiff_t>(skipped), steps_.end(),
                       [](const Step& a, const Step& b) { return a.smoothed < b.smoothed; });
  if (lowest->smoothed > kLeastFall * steps_[skipped].smoothed) return std::nullopt;
  double fall = 0;
  auto steepest = steps_.end();
  for (auto at = steps_.begin() + static_cast<std::ptrdiff_t>(skipped) + 1;
       at < lowest && at + 1 != steps_.end(); ++at) {
    const double falls = (at - 1)->smoothed - (at + 1)->smoothed;
    if (falls <= fall) continue;
    fall = falls;
    steepest = at;
  }
  if (steepest == steps_.end()) return std::nullopt;
  return Findings{steepest->rate, lowest->rate, std::min(steepest->rate, lowest->rate / kEdge)};
}

}  // namespace weir
