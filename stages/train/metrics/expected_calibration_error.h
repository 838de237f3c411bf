// Expected calibration error: how far the probability of what a picture is taken for is from how
// often that is right. The pictures are put into bins of equal width by that probability, the m-th
// of M being ((m - 1) / M, m / M]; the difference between the mean probability and the accuracy of
// each bin is averaged over the pictures (Guo et al., 2017, arXiv:1706.04599).
//
// Thread safety and memory as Metric; 16 bytes a bin while it is computed.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <tuple>

#include "stages/train/metrics/metric.h"

namespace weir {

class ExpectedCalibrationError final : public PassMetric {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"expected_calibration_error"};
  static constexpr std::string_view kDoc =
      "How far the probability of the predicted class is from how often it is right, from 0 to 1; "
      "less is better.";
  struct Params {
    int bins = 15;

    static auto Fields() {
      return std::tuple{Field{"bins", &Params::bins,
                              "In how many ranges of equal width the probabilities are sorted.",
                              Range{1, 1000}}};
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit ExpectedCalibrationError(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return kNames.front(); }
  bool is_higher_better() const override { return false; }
  std::optional<double> Of(const PredictionView& view) const override;
  std::string_view needs() const override { return "probabilities that are numbers"; }

 private:
  Params params_;
};

}  // namespace weir
