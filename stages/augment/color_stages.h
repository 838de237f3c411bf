// The stages `color_jitter`, `grayscale` and `random_erasing`, with torchvision's parameters and
// meaning: they change pictures in place, in train passes alone, `grayscale` in all.
//
// Map() runs on many threads; what is drawn is a pure function of the seed, the epoch and the
// sample.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/augment/crops.h"
#include "stages/payloads.h"

namespace weir {

class ColorJitter final : public MapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "color_jitter";
  static constexpr std::string_view kDoc =
      "Changes brightness, contrast, saturation and hue by chance, in train passes.";

  struct Params {
    double brightness = 0;
    double contrast = 0;
    double saturation = 0;
    double hue = 0;

    static auto Fields() {
      constexpr const char* kFactor = "Its factor is drawn from 1 - this, or 0, to 1 + this.";
      return std::tuple{
          Field{"brightness", &Params::brightness, kFactor, Range{0, 100},
                ElsewhereCalled{"brightness_range", "brightness_factor", "hsv_v"}},
          Field{"contrast", &Params::contrast, kFactor, Range{0, 100},
                ElsewhereCalled{"contrast_range", "contrast_factor"}},
          Field{"saturation", &Params::saturation, kFactor, Range{0, 100},
                ElsewhereCalled{"saturation_range", "saturation_factor", "hsv_s"}},
          Field{"hue", &Params::hue, "It is turned by -this to this, as a part of the circle.",
                Range{0, 0.5}, ElsewhereCalled{"hue_factor", "hsv_h"}}};
    }
  };

  ColorJitter(const Params& params, BuildContext& context)
      : params_(params), upstream_(context.upstream), seed_(context.seed) {}

  ItemSpec output() const override { return upstream_; }
  Outcome<Image> Map(Image image, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override { return split == Split::kTrain ? 0 : 1; }

  // What is drawn for a sample in an epoch: the four in the order in which they are applied.
  enum class Kind { kBrightness, kContrast, kSaturation, kHue };
  struct Change {
    Kind kind;
    float amount;  // a factor, or a turn
  };
  std::array<Change, 4> Draw(std::uint64_t epoch, std::uint64_t index) const;

 private:
  const Params params_;
  const ItemSpec upstream_;
  const std::uint64_t seed_;
};

class GrayscaleStage final : public MapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "grayscale";
  static constexpr std::string_view kDoc = "Takes the colours out of pictures.";

  struct Params {
    double probability = 1;

    static auto Fields() {
      return std::tuple{Field{"probability", &Params::probability,
                              "Of each picture in train passes; below 1 the others' stay as they "
                              "are.",
                              Range{0, 1}, ElsewhereCalled{"p", "prob"}}};
    }
  };

  GrayscaleStage(const Params& params, BuildContext& context)
      : params_(params), upstream_(context.upstream), seed_(context.seed) {}

  ItemSpec output() const override { return upstream_; }
  Outcome<Image> Map(Image image, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override;

  bool IsGrey(const Pass& pass, std::uint64_t index) const;

 private:
  const Params params_;
  const ItemSpec upstream_;
  const std::uint64_t seed_;
};

class RandomErasing final : public MapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "random_erasing";
  static constexpr std::string_view kDoc =
      "Paints over a part of a picture, drawn by chance, in train passes.";

  struct Params {
    double probability = 0.5;
    std::array<double, 2> scale{0.02, 0.33};
    std::array<double, 2> ratio{0.3, 3.3};
    std::array<int, 3> value{0, 0, 0};

    static auto Fields() {
      return std::tuple{
          Field{"probability", &Params::probability, "Of each picture.", Range{0, 1},
                ElsewhereCalled{"p", "prob", "reprob", "erasing"}},
          Field{"scale", &Params::scale,
                "The part's area, from and to, as a part of the picture's.", Range{0, 1}},
          Field{"ratio", &Params::ratio, "The part's height over its width, from and to.",
                Range{0.01, 100}},
          Field{"value", &Params::value, "Red, green and blue of the paint.", Range{0, 255}}};
    }
    void Check(const Blame& blame) const;
  };

  RandomErasing(const Params& params, BuildContext& context)
      : params_(params), upstream_(context.upstream), seed_(context.seed) {}

  ItemSpec output() const override { return upstream_; }
  Outcome<Image> Map(Image image, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override { return split == Split::kTrain ? 0 : 1; }

  // What is drawn for a sample in an epoch; empty where it stays whole.
  Box Draw(int height, int width, std::uint64_t epoch, std::uint64_t index) const;

 private:
  const Params params_;
  const ItemSpec upstream_;
  const std::uint64_t seed_;
};

}  // namespace weir
