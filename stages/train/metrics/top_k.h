// Top-k accuracy: the part of the pictures whose label is among the k largest logits. Of equal
// logits the first count as larger, as for accuracy, which is top 1 (scikit-learn takes the last).
//
// Thread safety and memory as Metric.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "stages/train/metrics/metric.h"

namespace weir {

class TopK final : public PictureMetric {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"top_k"};
  static constexpr std::string_view kDoc =
      "The part of the pictures whose class is among the k most probable; reported as top_5, where "
      "k is 5.";
  struct Params {
    int k = 5;

    static auto Fields() {
      return std::tuple{
          Field{"k", &Params::k, "How many of the classes count; at most all.", AtLeast{1}}};
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit TopK(const Params& params)
      : params_(Checked(params)), name_("top_" + std::to_string(params.k)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return name_; }
  // Throws Error(kConfig) where there are fewer than k.
  void CheckClasses(int classes) const override;
  // 0 or 1; 0 where the label's is no number.
  double Of(std::span<const float> logits, const Sample& sample) const override;

 private:
  Params params_;
  std::string name_;
};

}  // namespace weir
