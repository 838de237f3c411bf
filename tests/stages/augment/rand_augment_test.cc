#include "stages/augment/rand_augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/framework/config/yaml_text.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using Operation = RandAugment::Operation;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;

constexpr int kHeight = 20, kWidth = 30;
constexpr std::size_t kBytes = std::size_t{3} * kHeight * kWidth;

Image Slope(std::uint64_t index) {
  Image image{{index, -1, ""}, kHeight, kWidth, AlignedBuffer<std::uint8_t>(kBytes)};
  for (std::size_t i = 0; i < kBytes; ++i) {
    image.pixels.data()[i] = static_cast<std::uint8_t>(i % 90 + i / 90);
  }
  return image;
}

std::vector<std::uint8_t> PixelsOf(const Image& image) {
  return {image.pixels.data(), image.pixels.data() + image.pixels.size()};
}

class RandAugmentTest : public ::testing::Test {
 protected:
  RandAugment Make(const RandAugment::Params& params, bool training = true) {
    BuildContext context{.upstream = {.dims = {kHeight, kWidth, 3}, .item_bytes = kBytes},
                         .resources = resources_,
                         .seed = 3,
                         .training = training};
    return RandAugment(params, context);
  }

  static std::vector<std::uint8_t> Result(RandAugment& stage, std::uint64_t index,
                                          const Pass& pass) {
    StageContext context(pass, 0, [] { return false; });
    return PixelsOf(std::get<Image>(stage.Map(Slope(index), context)));
  }

  Resources resources_;
};

TEST_F(RandAugmentTest, DrawsEachOperationAsOftenAndEachSign) {
  const RandAugment stage = Make({.num_ops = 3});
  std::array<int, RandAugment::kOperations> counts{}, negatives{};
  constexpr int kSamples = 4000;
  for (std::uint64_t index = 0; index < kSamples; ++index) {
    const std::vector<RandAugment::Drawn> all = stage.Draw(0, index);
    ASSERT_EQ(all.size(), 3u);
    for (const RandAugment::Drawn& drawn : all) {
      ++counts[static_cast<int>(drawn.operation)];
      negatives[static_cast<int>(drawn.operation)] += drawn.is_negative;
    }
  }
  constexpr double kEach = 3.0 * kSamples / RandAugment::kOperations;
  EXPECT_THAT(counts, Each(AllOf(Ge(0.85 * kEach), Le(1.15 * kEach))));
  for (int i = 0; i < RandAugment::kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    const bool has_sign = operation >= Operation::kShearX && operation <= Operation::kSharpness;
    EXPECT_NEAR(negatives[i], has_sign ? counts[i] / 2.0 : 0, 0.1 * counts[i]) << i;
  }
}

TEST_F(RandAugmentTest, IsAnotherInEachEpochAndNothingInValidation) {
  RandAugment stage = Make({.num_ops = 4});
  std::set<std::vector<std::uint8_t>> results;
  for (int epoch = 0; epoch < 20; ++epoch) {
    const Pass pass{.split = Split::kTrain, .epoch = epoch};
    const auto result = Result(stage, 5, pass);
    EXPECT_EQ(Result(stage, 5, pass), result);
    results.insert(result);
  }
  EXPECT_GE(results.size(), 18u);
  EXPECT_NE(stage.DependsOn({.epoch = 0}, 5), stage.DependsOn({.epoch = 1}, 5));
  EXPECT_NE(stage.DependsOn({.epoch = 0}, 5), stage.DependsOn({.epoch = 0}, 6));
  EXPECT_NE(stage.DependsOn({.epoch = 0}, 5),
            Make({.num_ops = 4, .magnitude = 8}).DependsOn({.epoch = 0}, 5));

  EXPECT_EQ(Result(stage, 5, {.split = Split::kValidation}), PixelsOf(Slope(5)));
  EXPECT_EQ(stage.DependsOn({.split = Split::kValidation}, 5), "");
  EXPECT_EQ(stage.variants(Split::kTrain), 0);
  EXPECT_EQ(stage.variants(Split::kValidation), 1);
}

TEST_F(RandAugmentTest, OfNoOperationsChangesNothing) {
  RandAugment stage = Make({.num_ops = 0});
  EXPECT_EQ(Result(stage, 5, {.split = Split::kTrain}), PixelsOf(Slope(5)));
  EXPECT_EQ(stage.variants(Split::kTrain), 1);
  EXPECT_EQ(stage.footprint().item_bytes, 0u);
}

TEST_F(RandAugmentTest, IsAsStrongAsItsStepSays) {
  const auto strength = [&](int step, Operation operation, bool is_negative = false) {
    return Make({.magnitude = step}).Magnitude({operation, is_negative}, 331, 662);
  };
  EXPECT_FLOAT_EQ(strength(30, Operation::kShearX), 0.3f);
  EXPECT_FLOAT_EQ(strength(10, Operation::kRotate, true), -10);
  EXPECT_EQ(strength(30, Operation::kTranslateY), 150);
  EXPECT_EQ(strength(3, Operation::kTranslateX, true), -30);
  EXPECT_FLOAT_EQ(strength(10, Operation::kColor), 0.3f);
  EXPECT_EQ(strength(0, Operation::kPosterize), 8);
  EXPECT_EQ(strength(30, Operation::kPosterize), 4);
  EXPECT_FLOAT_EQ(strength(6, Operation::kSolarize), 0.8f);
}

TEST_F(RandAugmentTest, FillsWhatAMovedPictureLeaves) {
  const RandAugment stage = Make({.magnitude = 30, .fill = {1, 2, 3}});
  Image image = Slope(0);
  AlignedBuffer<std::uint8_t> spare;
  stage.Apply({Operation::kTranslateX, false}, image, spare);  // by 13 of 30 columns
  const Image plain = Slope(0);
  for (int row = 0; row < kHeight; ++row) {
    const std::uint8_t* pixels = image.pixels.data() + row * kWidth * 3;
    for (int i = 0; i < 13 * 3; ++i) ASSERT_EQ(pixels[i], 1 + i % 3);
    EXPECT_TRUE(
        std::equal(pixels + 13 * 3, pixels + kWidth * 3, plain.pixels.data() + row * kWidth * 3));
  }
}

TEST_F(RandAugmentTest, TakesASecondPictureAndNoMore) {
  const RandAugment stage = Make({});
  EXPECT_EQ(stage.footprint().item_bytes, kBytes);
  EXPECT_EQ(Make({}, /*training=*/false).footprint().item_bytes, 0u);
  Image image = Slope(0);
  AlignedBuffer<std::uint8_t> spare;
  for (int i = 0; i < RandAugment::kOperations; ++i) {
    stage.Apply({static_cast<Operation>(i), false}, image, spare);
    EXPECT_LE(spare.bytes(), kBytes);
    EXPECT_EQ(image.pixels.bytes(), kBytes);
  }
  EXPECT_EQ(spare.bytes(), kBytes);
}

TEST_F(RandAugmentTest, AsksForPicturesOfOneSize) {
  BuildContext context{.upstream = {}, .resources = resources_};
  EXPECT_EQ(CaughtError([&] { RandAugment({}, context); }),
            "rand_augment: the pictures that arrive have no fixed size\n"
            "Put `random_resized_crop`, or `augment: {size: [224, 224]}`, before it.");
}

TEST_F(RandAugmentTest, SaysWhichParameterIsWrong) {
  EXPECT_EQ(ProblemsOf<RandAugment::Params>("{num_ops: 0, magnitude: 30, fill: [0, 128, 255]}"),
            "");
  EXPECT_EQ(ProblemsOf<RandAugment::Params>("num_ops: -1"),
            "a.yaml:1:10: `num_ops` takes 0 to 100, not -1\n"
            "    1 | num_ops: -1\n"
            "      |          ^");
  EXPECT_EQ(ProblemsOf<RandAugment::Params>("magnitude: 31"),
            "a.yaml:1:12: `magnitude` takes less than `num_magnitude_bins`, which is 31\n"
            "    1 | magnitude: 31\n"
            "      |            ^");
  EXPECT_EQ(ProblemsOf<RandAugment::Params>("{magnitude: 0, num_magnitude_bins: 1}"),
            "a.yaml:1:36: `num_magnitude_bins` takes 2 to 10000, not 1\n"
            "    1 | {magnitude: 0, num_magnitude_bins: 1}\n"
            "      |                                    ^");
  EXPECT_EQ(ProblemsOf<RandAugment::Params>("fill: [0, 0, 256]"),
            "a.yaml:1:14: `fill[2]` takes 0 to 255, not 256\n"
            "    1 | fill: [0, 0, 256]\n"
            "      |              ^");
  EXPECT_EQ(ProblemsOf<RandAugment::Params>("fill: black"),
            "a.yaml:1:7: `fill` takes a list of 3 whole numbers, not `black`\n"
            "    1 | fill: black\n"
            "      |       ^");
}

}  // namespace
}  // namespace weir
