#include "stages/augment/color_stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace weir {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

Image Grey(std::uint64_t index, std::uint8_t level = 100) {
  Image image{{index, -1, ""}, 20, 30, AlignedBuffer<std::uint8_t>(20 * 30 * 3)};
  std::fill_n(image.pixels.data(), image.pixels.size(), level);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) image.pixels.data()[i] = 200;  // reddish
  return image;
}

template <class Stage>
std::vector<std::uint8_t> Result(Stage& stage, Image image, const Pass& pass) {
  StageContext context(pass, 0, [] { return false; });
  const Image out = std::get<Image>(stage.Map(std::move(image), context));
  return {out.pixels.data(), out.pixels.data() + out.pixels.size()};
}

class ColorStagesTest : public ::testing::Test {
 protected:
  template <class Stage>
  Stage Make(const typename Stage::Params& params) {
    BuildContext context{.upstream = {}, .resources = resources_, .seed = 3};
    return Stage(params, context);
  }
  const std::vector<std::uint8_t> plain_ = [] {
    const Image image = Grey(0);
    return std::vector(image.pixels.data(), image.pixels.data() + image.pixels.size());
  }();

  Resources resources_;
};

TEST_F(ColorStagesTest, ColorJitterDrawsWithinItsBoundsInAnyOrder) {
  using Kind = ColorJitter::Kind;
  const auto stage =
      Make<ColorJitter>({.brightness = 0.4, .contrast = 2, .saturation = 0.1, .hue = 0.2});
  std::set<std::vector<Kind>> orders;
  for (std::uint64_t index = 0; index < 500; ++index) {
    std::vector<Kind> order;
    for (const ColorJitter::Change& change : stage.Draw(1, index)) {
      order.push_back(change.kind);
      if (change.kind == Kind::kBrightness) {
        EXPECT_THAT(change.amount, AllOf(Ge(0.6f), Le(1.4f)));
      } else if (change.kind == Kind::kContrast) {
        EXPECT_THAT(change.amount, AllOf(Ge(0.f), Le(3.f)));
      } else if (change.kind == Kind::kSaturation) {
        EXPECT_THAT(change.amount, AllOf(Ge(0.9f), Le(1.1f)));
      } else {
        EXPECT_THAT(change.amount, AllOf(Ge(-0.2f), Le(0.2f)));
      }
    }
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 24u);
}

TEST_F(ColorStagesTest, ColorJitterIsAnotherInEachEpochAndNothingInValidation) {
  auto stage = Make<ColorJitter>({.brightness = 0.5, .contrast = 0, .saturation = 0.5, .hue = 0});
  const auto first = Result(stage, Grey(5), {.split = Split::kTrain, .epoch = 0});
  EXPECT_EQ(Result(stage, Grey(5), {.split = Split::kTrain, .epoch = 0}), first);
  EXPECT_NE(Result(stage, Grey(5), {.split = Split::kTrain, .epoch = 1}), first);
  EXPECT_NE(Result(stage, Grey(6), {.split = Split::kTrain, .epoch = 0}), first);
  EXPECT_EQ(Result(stage, Grey(5), {.split = Split::kValidation}), plain_);
  EXPECT_EQ(stage.variants(Split::kTrain), 0);
  EXPECT_EQ(stage.variants(Split::kValidation), 1);
  EXPECT_NE(stage.DependsOn({.epoch = 0}, 5), stage.DependsOn({.epoch = 1}, 5));
}

TEST_F(ColorStagesTest, GrayscaleIsOfAllPicturesOrOfSomeInTraining) {
  auto all = Make<GrayscaleStage>({.probability = 1});
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    const auto grey = Result(all, Grey(0), {.split = split});
    EXPECT_EQ(grey[0], grey[1]);
    EXPECT_EQ(grey[1], grey[2]);
  }
  auto some = Make<GrayscaleStage>({.probability = 0.25});
  int count = 0;
  for (std::uint64_t index = 0; index < 1000; ++index) {
    const Pass pass{.split = Split::kTrain};
    const bool is_grey = Result(some, Grey(index), pass) != plain_;
    EXPECT_EQ(is_grey, some.IsGrey(pass, index));
    count += is_grey;
  }
  EXPECT_THAT(count, AllOf(Ge(200), Le(300)));
  EXPECT_EQ(Result(some, Grey(1), {.split = Split::kValidation}), plain_);
}

TEST_F(ColorStagesTest, RandomErasingPaintsOverOnePart) {
  auto stage = Make<RandomErasing>(
      {.probability = 0.5, .scale = {0.1, 0.2}, .ratio = {0.5, 2}, .value = {1, 2, 3}});
  int erased = 0;
  for (std::uint64_t index = 0; index < 400; ++index) {
    const Box box = stage.Draw(20, 30, 0, index);
    const auto result = Result(stage, Grey(index), {.split = Split::kTrain});
    int painted = 0;
    for (int row = 0; row < 20; ++row) {
      for (int column = 0; column < 30; ++column) {
        const std::uint8_t* pixel = &result[(row * 30 + column) * 3];
        const bool is_inside = row >= box.top && row < box.top + box.height && column >= box.left &&
                               column < box.left + box.width;
        EXPECT_EQ(pixel[0] == 1 && pixel[1] == 2 && pixel[2] == 3, is_inside);
        painted += is_inside;
      }
    }
    erased += painted > 0;
    if (painted > 0) {
      EXPECT_THAT(painted, AllOf(Ge(600 * 0.08), Le(600 * 0.24)));
    }
  }
  EXPECT_THAT(erased, AllOf(Ge(160), Le(240)));
  EXPECT_EQ(Result(stage, Grey(0), {.split = Split::kValidation}), plain_);
}

}  // namespace
}  // namespace weir
