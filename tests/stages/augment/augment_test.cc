#include "stages/augment/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "framework/config/yaml_emitter.h"
#include "framework/random.h"
#include "stages/kernels/warp.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using Pixels = std::vector<std::uint8_t>;

Image Noise(int height, int width, std::uint64_t index) {
  Image image{{index, 0, "a.jpg"}, height, width, {}};
  image.pixels = AlignedBuffer<std::uint8_t>(std::size_t{3} * height * width);
  CounterRandom random(5, "noise");
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels.data()[i] = static_cast<std::uint8_t>(random.Next());
  }
  return image;
}

Augment Make(const Augment::Params& params, std::uint64_t seed = 1) {
  Resources resources;
  BuildContext context{.upstream = {}, .resources = resources, .seed = seed};
  return Augment(params, context);
}

Pixels Augmented(Augment& augment, const Pass& pass, std::uint64_t index = 0) {
  StageContext context(pass, 0, [] { return false; });
  const Image out = std::get<Image>(augment.Map(Noise(30, 40, index), context));
  EXPECT_EQ(out.sample.index, index);
  EXPECT_EQ(out.sample.path, "a.jpg");
  return Pixels(out.pixels.data(), out.pixels.data() + out.pixels.size());
}

constexpr Pass kTrain{.split = Split::kTrain};
const Augment::Params kAll{.size = {24, 20},
                           .rotation = 20,
                           .width_shift = 0.1,
                           .height_shift = 0.2,
                           .shear = 5,
                           .zoom = {0.8, 1.2},
                           .horizontal_flip = true,
                           .vertical_flip = true};

TEST(Augment, OnlyTrainPassesVaryPictures) {
  Augment augment = Make(kAll);
  Augment resize = Make({.size = {24, 20}});
  const Pixels plain = Augmented(resize, kTrain);
  EXPECT_EQ(plain.size(), 24u * 20 * 3);
  EXPECT_NE(Augmented(augment, kTrain), plain);
  for (const Split split : {Split::kValidation, Split::kTest, Split::kPredict}) {
    EXPECT_EQ(Augmented(augment, {.split = split}), plain);
  }
}

TEST(Augment, IsAPureFunctionOfSeedEpochAndSample) {
  Augment augment = Make(kAll);
  Augment again = Make(kAll);
  Augment other_seed = Make(kAll, 2);
  const Pixels first = Augmented(augment, kTrain);
  EXPECT_EQ(Augmented(again, {.split = Split::kTrain, .first_sample = 7}), first);
  EXPECT_NE(Augmented(other_seed, kTrain), first);
  EXPECT_NE(Augmented(augment, {.split = Split::kTrain, .epoch = 1}), first);
  EXPECT_NE(Augmented(augment, kTrain, 1), first);
}

TEST(Augment, TurningOneOnLeavesTheOthersAsTheyWere) {
  const KerasTransform all = Make(kAll).Draw(3, 9);
  const KerasTransform zoomed = Make({.size = {24, 20}, .zoom = {0.8, 1.2}}).Draw(3, 9);
  EXPECT_EQ(zoomed.zx, all.zx);
  EXPECT_EQ(zoomed.zy, all.zy);
  EXPECT_EQ(zoomed.theta, 0);
}

TEST(Augment, DrawsEachAxisFromItsRange) {
  const Augment augment = Make(kAll);
  constexpr int kDraws = 4000;
  KerasTransform least = augment.Draw(0, 0), most = least;
  int flipped = 0, different_zooms = 0;
  for (int i = 0; i < kDraws; ++i) {
    const KerasTransform drawn = augment.Draw(0, i);
    const auto widen = [&](double KerasTransform::*member) {
      least.*member = std::min(least.*member, drawn.*member);
      most.*member = std::max(most.*member, drawn.*member);
    };
    for (auto member : {&KerasTransform::theta, &KerasTransform::tx, &KerasTransform::ty,
                        &KerasTransform::shear, &KerasTransform::zx, &KerasTransform::zy}) {
      widen(member);
    }
    flipped += drawn.flip_horizontal;
    different_zooms += drawn.zx != drawn.zy;
  }
  const auto spans = [&](double KerasTransform::*member, double low, double high) {
    const double slack = 0.01 * (high - low);
    EXPECT_GE(least.*member, low);
    EXPECT_LE(least.*member, low + slack);
    EXPECT_LE(most.*member, high);
    EXPECT_GE(most.*member, high - slack);
  };
  spans(&KerasTransform::theta, -20, 20);
  spans(&KerasTransform::tx, -2, 2);      // a tenth of a width of 20
  spans(&KerasTransform::ty, -4.8, 4.8);  // a fifth of a height of 24
  spans(&KerasTransform::shear, -5, 5);
  spans(&KerasTransform::zx, 0.8, 1.2);
  spans(&KerasTransform::zy, 0.8, 1.2);
  EXPECT_NEAR(flipped, kDraws / 2, 130);  // four standard deviations
  EXPECT_EQ(different_zooms, kDraws);
}

TEST(Augment, AWidthShiftMovesAlongTheWidth) {
  Augment augment = Make({.size = {30, 40}, .width_shift = 0.5});
  const KerasTransform drawn = augment.Draw(0, 0);
  EXPECT_NE(drawn.tx, 0);
  EXPECT_EQ(drawn.ty, 0);
  const Affine map = KerasMap(drawn, 30, 40);
  EXPECT_DOUBLE_EQ(map.x0, drawn.tx);
  EXPECT_DOUBLE_EQ(map.y0, 0);
}

TEST(Augment, KnowsWhetherItIsRandom) {
  EXPECT_FALSE(Make({.size = {24, 20}}).is_random());
  EXPECT_TRUE(Make({.size = {24, 20}, .zoom = {1, 1.1}}).is_random());
  EXPECT_TRUE(Make({.size = {24, 20}, .horizontal_flip = true}).is_random());
}

TEST(Augment, WantsWhatTheClosestZoomShows) {
  Resources resources;
  BuildContext context{.upstream = {}, .resources = resources};
  Augment augment({.size = {200, 100}, .zoom = {0.8, 1.2}}, context);
  EXPECT_EQ(resources.Find<WantedSize>()->height, 250);
  EXPECT_EQ(resources.Find<WantedSize>()->width, 125);
  EXPECT_EQ(augment.output().dims, (std::vector<std::int64_t>{200, 100, 3}));
  // The result, and the picture that is made smaller before it is varied.
  EXPECT_EQ(augment.footprint().item_bytes, 60'000u + 93'750u);
  EXPECT_EQ(Make({.size = {200, 100}}).footprint().item_bytes, 60'000u);
}

TEST(Augment, ShowsNoPatternThatThePictureDoesNotHave) {
  Image stripes = Noise(90, 90, 0);  // too fine for a third of the size
  for (std::size_t i = 0; i < stripes.pixels.size(); ++i) {
    stripes.pixels.data()[i] = i / 3 % 2 == 0 ? 255 : 0;
  }
  for (const Augment::Params& params :
       {Augment::Params{.size = {30, 33}},
        Augment::Params{.size = {30, 33}, .rotation = 3, .zoom = {0.9, 1.1}}}) {
    Augment augment = Make(params);
    StageContext context(kTrain, 0, [] { return false; });
    Image picture = Noise(90, 90, 0);
    std::memcpy(picture.pixels.data(), stripes.pixels.data(), stripes.pixels.size());
    const Image out = std::get<Image>(augment.Map(std::move(picture), context));
    for (std::size_t i = 0; i < out.pixels.size(); ++i) {
      const std::size_t column = i / 3 % 33;
      if (column > 2 && column < 30) {
        ASSERT_NEAR(out.pixels.data()[i], 127.5, 20) << i;
      }
    }
  }
}

TEST(Augment, TakesItsVariantsInTurn) {
  Augment::Params params = kAll;
  EXPECT_EQ(Make(params).variants(Split::kTrain), 0);
  EXPECT_EQ(Make(params).variants(Split::kValidation), 1);
  EXPECT_EQ(Make({.size = {24, 20}}).variants(Split::kTrain), 1);
  params.variants = 3;
  Augment augment = Make(params);
  EXPECT_EQ(augment.variants(Split::kTrain), 3);
  const auto epoch = [&](int number) {
    return Augmented(augment, {.split = Split::kTrain, .epoch = number});
  };
  EXPECT_EQ(epoch(4), epoch(1));
  EXPECT_NE(epoch(2), epoch(1));
}

TEST(Augment, SaysWhatAPictureDependsOn) {
  const Augment augment = Make(kAll), resize = Make({.size = {24, 20}});
  const Pass validation{.split = Split::kValidation};
  EXPECT_EQ(resize.DependsOn(kTrain, 5), "24x20");
  EXPECT_EQ(augment.DependsOn(validation, 5), "24x20");
  EXPECT_EQ(augment.DependsOn(kTrain, 5), augment.DependsOn(kTrain, 5));
  EXPECT_NE(augment.DependsOn(kTrain, 5), augment.DependsOn(kTrain, 6));
  EXPECT_NE(augment.DependsOn(kTrain, 5), augment.DependsOn({.epoch = 1}, 5));
  EXPECT_NE(augment.DependsOn(kTrain, 5), Make(kAll, 2).DependsOn(kTrain, 5));
}

Augment::Params Read(const YamlNode& zoom) {
  const YamlNode size = YamlNode::List({YamlNode::Scalar("8"), YamlNode::Scalar("8")});
  return Parse<Augment::Params>(YamlNode::Map({{"size", size}, {"zoom", zoom}}));
}

TEST(ZoomRange, IsANumberOrItsEnds) {
  const ZoomRange around = Read(YamlNode::Scalar("0.2")).zoom;
  EXPECT_DOUBLE_EQ(around.low, 0.8);
  EXPECT_DOUBLE_EQ(around.high, 1.2);
  const ZoomRange ends =
      Read(YamlNode::List({YamlNode::Scalar("1"), YamlNode::Scalar("1.5")})).zoom;
  EXPECT_DOUBLE_EQ(ends.low, 1);
  EXPECT_DOUBLE_EQ(ends.high, 1.5);
  const ZoomRange again = Read(ParamType<ZoomRange>::Write(ends, {})).zoom;
  EXPECT_DOUBLE_EQ(again.high, 1.5);
}

TEST(ZoomRange, RefusesWhatIsNoZoom) {
  EXPECT_EQ(CaughtError([] { Read(YamlNode::Scalar("1.5")); }),
            "`zoom` takes a number below 1, or two numbers [low, high] from 0.01 to 100, not "
            "`1.5`\n");
  for (const YamlNode& zoom :
       {YamlNode::Scalar("1"), YamlNode::Scalar("-0.2"), YamlNode::Scalar("much"),
        YamlNode::List({YamlNode::Scalar("1.2"), YamlNode::Scalar("0.8")}),
        YamlNode::List({YamlNode::Scalar("0"), YamlNode::Scalar("1")}),
        YamlNode::List({YamlNode::Scalar("1")})}) {
    EXPECT_NE(CaughtError([&] { Read(zoom); }), "nothing was thrown") << EmitFlow(zoom);
  }
}

}  // namespace
}  // namespace weir
