// Accuracy: the part of the pictures whose largest logit is that of their label.
//
// Thread safety and memory as Metric; Largest is a pure function.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <tuple>

#include "stages/learner.h"
#include "stages/train/metrics/metric.h"

namespace weir {

// The index of the largest; the first where several are.
int Largest(std::span<const float> values);

class Accuracy final : public PictureMetric {
 public:
  static constexpr std::array<std::string_view, 1> kNames{Metrics::kAccuracy};
  static constexpr std::string_view kDoc =
      "The part of the pictures that are taken for what they are; always reported.";
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  Accuracy() = default;
  explicit Accuracy(const Params&) {}

  YamlNode ToYaml() const override { return YamlNode::Scalar(std::string(kNames.front())); }
  std::string_view name() const override { return kNames.front(); }
  // 0 or 1.
  double Of(std::span<const float> logits, const Sample& sample) const override;
};

}  // namespace weir
