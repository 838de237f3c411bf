#include "stages/train/metrics/expected_calibration_error.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace weir {

std::optional<double> ExpectedCalibrationError::Of(const PredictionView& view) const {
  struct Bin {
    double confidence = 0;
    double hits = 0;
  };
  std::vector<Bin> bins(params_.bins);
  double pictures = 0;
  for (std::size_t i = 0; i < view.all.size(); ++i) {
    const Prediction& each = view.all[i];
    const auto times = static_cast<double>(view.TimesOf(i));
    if (!std::isfinite(each.confidence)) return std::nullopt;
    const double end = std::ceil(static_cast<double>(each.confidence) * params_.bins);
    Bin& bin = bins[std::clamp(static_cast<int>(end), 1, params_.bins) - 1];
    bin.confidence += times * static_cast<double>(each.confidence);
    bin.hits += each.label == each.predicted ? times : 0;
    pictures += times;
  }
  double error = 0;
  for (const Bin& bin : bins) error += std::abs(bin.confidence - bin.hits);
  return error / pictures;
}

}  // namespace weir
