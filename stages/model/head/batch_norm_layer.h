// Normalises each channel by the mean and variance of the batch, in inference by their moving
// averages (Ioffe and Szegedy, 2015, "Batch Normalization").
#pragma once

#include <array>
#include <tuple>

#include "framework/shape.h"
#include "stages/model/head/head_layer.h"

namespace weir {

class BatchNormLayer final : public HeadLayer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"batch_norm"};
  static constexpr std::string_view kDoc = "Normalises each channel.";

  struct Params {
    double momentum = 0.99;
    double epsilon = 1e-3;

    static auto Fields() {
      return std::tuple{Field{"momentum", &Params::momentum,
                              "How much of the moving statistics a step keeps (Keras' meaning; "
                              "PyTorch's momentum is 1 - this).",
                              Range{0, 1}},
                        Field{"epsilon", &Params::epsilon, "Added to the variance.", MoreThan{0},
                              ElsewhereCalled{"eps"}}};
    }
    void Check(const Blame& blame) const { CheckLessThanOne(blame, "momentum", momentum); }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit BatchNormLayer(const Params& params) : params_(Checked(params)) {}

  double momentum() const { return params_.momentum; }
  double epsilon() const { return params_.epsilon; }

  std::string_view name() const override { return kNames.front(); }
  YamlNode ToYaml() const override { return WriteNamedParams(name(), weir::ToYaml(params_)); }
  std::string declaration() const override;
  Shape OutputDims(const Shape& input, const HeadPlace&) const override { return input; }
  std::vector<HeadArray> Arrays(const Shape& input) const override;
  bool needs_whole_batch() const override { return true; }

 private:
  Params params_;
};

}  // namespace weir
