// Resizes pictures (resize.h), and in train passes varies them by chance: rotation, shift, shear,
// zoom and flips, all in one resampling (warp.h). A picture that this makes smaller is made smaller
// first, without aliasing, along either axis as far as the result's pixels lie apart on it.
//
// The parameters mean what they mean in Keras' ImageDataGenerator, `shear` being in degrees and
// `zoom` drawing each axis for itself, except that `width_shift` always moves along the width:
// Keras exchanges the two. What leaves the picture shows the nearest pixel of its edge.
//
// What is drawn for a picture is a pure function of (seed, epoch, index of the sample); with
// `variants` K, of (seed, epoch modulo K, index). All eight numbers are drawn for each, in this
// order: rotation, height_shift, width_shift, shear, zoom of the columns, zoom of the rows,
// horizontal flip, vertical flip. So turning one on leaves the others as they were.
//
// Map() is called from many threads and shares nothing. Each picture takes height * width * 3 bytes
// beside the one that it is made from; while it is varied, those of the WantedSize besides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/augment/lower_size.h"
#include "stages/augment/picture_size.h"
#include "stages/augment/zoom_range.h"
#include "stages/kernels/affine.h"
#include "stages/payloads.h"

namespace weir {

class Augment final : public ReadingMapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "augment";
  static constexpr std::string_view kDoc =
      "Resizes pictures, and varies them by chance while training.";

  struct Params {
    PictureSize size;
    double rotation = 0;
    double width_shift = 0;
    double height_shift = 0;
    double shear = 0;
    ZoomRange zoom{};
    bool horizontal_flip = false;
    bool vertical_flip = false;
    int variants = 0;

    static auto Fields() {
      return std::tuple{
          Field{"size", &Params::size, "Height and width in pixels; one number is both.",
                Range{1, 8192}, Required{}, SizeElsewhere()},
          Field{"rotation", &Params::rotation, "Turn by up to so many degrees either way.",
                Range{0, 180}, ElsewhereCalled{"rotation_range", "degrees", "rotate"}},
          Field{"width_shift", &Params::width_shift, "Move by up to this part of the width.",
                Range{0, 1}, ElsewhereCalled{"width_shift_range", "translate_x"}},
          Field{"height_shift", &Params::height_shift, "Move by up to this part of the height.",
                Range{0, 1}, ElsewhereCalled{"height_shift_range", "translate_y"}},
          Field{"shear", &Params::shear, "Shear by up to so many degrees either way.", Range{0, 89},
                ElsewhereCalled{"shear_range"}},
          Field{"zoom", &Params::zoom,
                "Scale each axis by 1 - zoom to 1 + zoom, or by [low, high]; above 1 is smaller.",
                ElsewhereCalled{"zoom_range"}},
          Field{"horizontal_flip", &Params::horizontal_flip, "Mirror every other picture.",
                ElsewhereCalled{"hflip", "h_flip", "fliplr", "flip_lr", "horizontal_flipping"}},
          Field{"vertical_flip", &Params::vertical_flip, "Turn every other picture upside down.",
                ElsewhereCalled{"vflip", "v_flip", "flipud", "flip_ud", "vertical_flipping"}},
          Field{"variants", &Params::variants,
                "Draw so many variants of each picture and take them in turn, one an epoch: what a "
                "frozen backbone makes of them is then kept. 0: another one in each epoch.",
                Range{0, 1000}}};
    }
  };

  // Provides the WantedSize: what the closest zoom still shows in full detail.
  Augment(const Params& params, BuildContext& context);

  static std::vector<ResourceUse> Provides() { return {ResourceOf<WantedSize>()}; }

  ItemSpec output() const override;
  Footprint footprint() const override;
  std::vector<Lowerable> lowerable() const override { return LowerSizes(params_.size); }
  Outcome<Image> Map(const Image& image, StageContext& context) override;

  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override;

  // Whether a picture may differ from epoch to epoch.
  bool is_random() const;

  // What is drawn for a sample in an epoch.
  KerasTransform Draw(std::uint64_t epoch, std::uint64_t index) const;

 private:
  std::size_t picture_bytes() const;
  bool varies(Split split) const { return split == Split::kTrain && is_random(); }

  const Params params_;
  const std::uint64_t seed_;
  const bool training_;
  WantedSize wanted_;
};

}  // namespace weir
