// Cross-entropy of a softmax, from logits: -sum(target * log softmax(logits)) in nats.
//
// The target is 1 - label_smoothing at the sample's label, or that much shared out among the parts
// of its mixture, and label_smoothing / classes everywhere in addition (Szegedy et al., 2016,
// arXiv:1512.00567; Keras' and PyTorch's label_smoothing). Labels are indices here, so that Keras'
// two names mean the same.
//
// Thread safety and memory as Loss.
#pragma once

#include <array>
#include <string_view>
#include <tuple>

#include "stages/train/losses/loss.h"

namespace weir {

class CrossEntropy final : public Loss {
 public:
  static constexpr std::array<std::string_view, 3> kNames{
      "categorical_crossentropy", "sparse_categorical_crossentropy", "cross_entropy"};
  static constexpr std::string_view kDoc =
      "Cross-entropy of the softmax over the classes, in nats.";

  struct Params {
    double label_smoothing = 0;

    static auto Fields() {
      return std::tuple{
          Field{"label_smoothing", &Params::label_smoothing,
                "The part of each label that is spread over all classes; less than 1.", Range{0, 1},
                ElsewhereCalled{"smoothing"}}};
    }
    void Check(const Blame& blame) const {
      CheckLessThanOne(blame, "label_smoothing", label_smoothing);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit CrossEntropy(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override;
  double Of(std::span<const float> logits, const Sample& sample) const override;
  double Gradient(std::span<float> logits, const Sample& sample, double scale) const override;

 private:
  Params params_;
};

}  // namespace weir
