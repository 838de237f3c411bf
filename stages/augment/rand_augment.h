// The stage `rand_augment`: RandAugment (Cubuk et al., 2019) with torchvision's parameters and
// meaning. In train passes each picture goes through `num_ops` operations of 14, drawn by chance.
//
// Places outside the picture show `fill`; there is no interpolation but torchvision's default, the
// nearest pixel. What is drawn for a picture is a pure function of the seed, the epoch and the
// sample.
//
// Map() runs on many threads. It works in place, but that an operation which moves pixels, or
// Sharpness, writes to a second picture of the same size.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/kernels/affine.h"
#include "stages/payloads.h"

namespace weir {

class RandAugment final : public MapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "rand_augment";
  static constexpr std::string_view kDoc =
      "RandAugment: changes pictures by operations that are drawn by chance, in train passes: "
      "identity, shear_x, shear_y, translate_x, translate_y, rotate, brightness, color, contrast, "
      "sharpness, posterize, solarize, auto_contrast and equalize.";

  struct Params {
    int num_ops = 2;
    int magnitude = 9;
    int num_magnitude_bins = 31;
    std::array<int, 3> fill{0, 0, 0};

    static auto Fields() {
      return std::tuple{
          Field{"num_ops", &Params::num_ops, "Operations, one after another.", Range{0, 100}},
          Field{"magnitude", &Params::magnitude,
                "How strong they are: 0 is the least, num_magnitude_bins - 1 the most.",
                Range{0, 9999}},
          Field{"num_magnitude_bins", &Params::num_magnitude_bins,
                "Steps from the least to the most.", Range{2, 10'000}},
          Field{"fill", &Params::fill, "Red, green and blue around a picture that was moved.",
                Range{0, 255}}};
    }
    void Check(const Blame& blame) const;
  };

  // Throws Error(kConfig) where the size of what arrives is not fixed.
  RandAugment(const Params& params, BuildContext& context);

  ItemSpec output() const override { return upstream_; }
  Footprint footprint() const override;
  Outcome<Image> Map(Image image, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override { return changes(split) ? 0 : 1; }

  enum class Operation {
    kIdentity,
    kShearX,
    kShearY,
    kTranslateX,
    kTranslateY,
    kRotate,
    kBrightness,
    kColor,
    kContrast,
    kSharpness,
    kPosterize,
    kSolarize,
    kAutoContrast,
    kEqualize
  };
  static constexpr int kOperations = 14;

  struct Drawn {
    Operation operation;
    bool is_negative;  // its magnitude, where that has a sign
  };

  // What is drawn for a sample in an epoch, in the order in which it is done.
  std::vector<Drawn> Draw(std::uint64_t epoch, std::uint64_t index) const;

  // How strong: slopes, pixels, degrees, what a factor differs from 1 by, bits, or a part of 255. 0
  // where an operation has no strength. With the sign that was drawn.
  double Magnitude(const Drawn& drawn, int height, int width) const;

  // From a pixel of the result to the place in the picture that it shows, of the operations that
  // move pixels; empty of the others.
  std::optional<Affine> MapOf(const Drawn& drawn, int height, int width) const;

  // Does it to `image`; `spare` is empty, or has room for as many pixels.
  void Apply(const Drawn& drawn, Image& image, AlignedBuffer<std::uint8_t>& spare) const;

 private:
  bool changes(Split split) const { return split == Split::kTrain && params_.num_ops > 0; }

  const Params params_;
  const ItemSpec upstream_;
  const std::uint64_t seed_;
  const bool training_;
};

}  // namespace weir
