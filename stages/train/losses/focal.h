// Focal loss of a softmax, from logits: -sum(alpha * (1 - p)^gamma * target * log p) in nats, where
// p is the softmax: pictures that are taken for what they are count less (Lin et al., 2017,
// arXiv:1708.02002; Keras' CategoricalFocalCrossentropy, without its clipping of p to [1e-7,
// 1 - 1e-7]). With gamma 0 and alpha 1 it is the cross-entropy.
//
// The target is that of CrossEntropy, label smoothing included.
//
// Thread safety and memory as Loss.
#pragma once

#include <array>
#include <string_view>
#include <tuple>

#include "stages/train/losses/loss.h"

namespace weir {

class Focal final : public Loss {
 public:
  static constexpr std::array<std::string_view, 2> kNames{"focal",
                                                          "categorical_focal_crossentropy"};
  static constexpr std::string_view kDoc =
      "Focal loss of the softmax over the classes: pictures that are easy count less.";

  struct Params {
    double gamma = 2;
    double alpha = 0.25;
    double label_smoothing = 0;

    static auto Fields() {
      return std::tuple{
          Field{"gamma", &Params::gamma,
                "How much less easy pictures count; 0: as much as the others.", AtLeast{0}},
          Field{"alpha", &Params::alpha, "What the loss of every picture is taken times.",
                MoreThan{0}},
          Field{"label_smoothing", &Params::label_smoothing,
                "The part of each label that is spread over all classes; less than 1.",
                Range{0, 1}}};
    }
    void Check(const Blame& blame) const {
      CheckLessThanOne(blame, "label_smoothing", label_smoothing);
      CheckIsFloat32(blame, "gamma", gamma);
      CheckIsFloat32(blame, "alpha", alpha);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Focal(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  double Of(std::span<const float> logits, const Sample& sample) const override;
  double Gradient(std::span<float> logits, const Sample& sample, double scale) const override;

 private:
  Params params_;
};

}  // namespace weir
