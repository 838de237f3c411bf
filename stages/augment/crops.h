// The stages `center_crop` and `random_resized_crop`, with torchvision's parameters and meaning.
//
// Map() runs on many threads; a picture's crop is a pure function of the seed, the epoch and the
// sample.
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
#include "framework/random.h"
#include "stages/augment/lower_size.h"
#include "stages/augment/picture_size.h"
#include "stages/payloads.h"

namespace weir {

// A part of a picture, in pixels; it may reach over the edge.
struct Box {
  int top = 0, left = 0, height = 0, width = 0;
  bool operator==(const Box&) const = default;
};

// A part of a picture of [height, width], drawn by chance: its area as a part of the picture's from
// scale[0] to scale[1], its width over its height from ratio[0] to ratio[1], lower than `height`
// and narrower than `width` by `margin` at least. Empty where none of ten draws fits.
std::optional<Box> DrawPart(CounterRandom& random, int height, int width,
                            const std::array<double, 2>& scale, const std::array<double, 2>& ratio,
                            int margin = 0);

class CenterCrop final : public ReadingMapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "center_crop";
  static constexpr std::string_view kDoc =
      "Cuts the middle out of pictures; around smaller ones is black.";

  struct Params {
    PictureSize size{224, 224};

    static auto Fields() {
      return std::tuple{Field{"size", &Params::size,
                              "Height and width in pixels; one number is both.", Range{1, 65'536},
                              SizeElsewhere()}};
    }
  };

  CenterCrop(const Params& params, BuildContext&) : params_(params) {}

  ItemSpec output() const override;
  Footprint footprint() const override { return {.item_bytes = output().item_bytes}; }
  std::vector<Lowerable> lowerable() const override { return LowerSizes(params_.size); }
  Outcome<Image> Map(const Image& image, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override;

  // Where it lies in a picture; the corner is negative where the picture is smaller.
  static Box Of(int height, int width, const PictureSize& size);

 private:
  const Params params_;
};

class RandomResizedCrop final : public ReadingMapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "random_resized_crop";
  static constexpr std::string_view kDoc =
      "Cuts a part out of pictures, drawn by chance, and resizes it; other than in train passes "
      "the "
      "largest middle of that form.";

  struct Params {
    PictureSize size{224, 224};
    std::array<double, 2> scale{0.08, 1.0};
    std::array<double, 2> ratio{3.0 / 4, 4.0 / 3};

    static auto Fields() {
      return std::tuple{
          Field{"size", &Params::size,
                "Height and width of the result in pixels; one number is both.", Range{1, 65'536},
                SizeElsewhere()},
          Field{"scale", &Params::scale,
                "The part's area, from and to, as a part of the picture's.", Range{0.0001, 1}},
          Field{"ratio", &Params::ratio, "The part's width over its height, from and to.",
                Range{0.01, 100}}};
    }
    void Check(const Blame& blame) const;
  };

  // Provides the WantedSize: what the smallest part still shows in full detail.
  RandomResizedCrop(const Params& params, BuildContext& context);

  static std::vector<ResourceUse> Provides() { return {ResourceOf<WantedSize>()}; }

  ItemSpec output() const override;
  Footprint footprint() const override { return {.item_bytes = output().item_bytes}; }
  std::vector<Lowerable> lowerable() const override { return LowerSizes(params_.size); }
  Outcome<Image> Map(const Image& image, StageContext& context) override;
  // The part is drawn in the picture as it is decoded, whose size is not known here.
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override { return split == Split::kTrain ? 0 : 1; }

  // What is drawn for a sample in an epoch.
  Box Draw(int height, int width, std::uint64_t epoch, std::uint64_t index) const;
  // The largest in the middle, of the ratio of the size or what of `ratio` comes closest to the
  // picture's.
  static Box Middle(int height, int width, double least_ratio, double most_ratio);

 private:
  const Params params_;
  const std::uint64_t seed_;
};

}  // namespace weir
