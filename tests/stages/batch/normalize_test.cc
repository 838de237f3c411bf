#include "stages/batch/normalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/framework/config/yaml_text.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using ::testing::ElementsAre;

// A batch of size 4, [2, 1] pixels each, of which two samples came.
Batch HalfABatch() {
  Batch batch;
  batch.samples = {{7, 1, "a.jpg", {}, 12}, {9, 0, "b.jpg", {}, 14}};
  batch.height = 2;
  batch.width = 1;
  batch.pixels = AlignedBuffer<std::uint8_t>(4 * 2 * 3);
  for (int i = 0; i < 12; ++i) batch.pixels.data()[i] = static_cast<std::uint8_t>(i == 3 ? 255 : 0);
  return batch;
}

class NormalizeTest : public ::testing::Test {
 protected:
  Normalize Make(const Normalize::Params& params) {
    BuildContext context{.upstream = {.dims = {4, 2, 1, 3}, .item_bytes = 24 + 100},
                         .resources = resources_};
    return Normalize(params, context);
  }

  static FeatureBatch Result(Normalize& stage, const Batch& batch) {
    const Pass pass;
    StageContext context(pass, 0, [] { return false; });
    return std::get<FeatureBatch>(stage.Map(batch, context));
  }

  Resources resources_;
};

TEST_F(NormalizeTest, TakesTheMeanOffAndDividesByTheDeviation) {
  Normalize stage = Make({.mean = {0.5, 0.25, 0}, .std = {0.25, 0.5, 1}});
  const FeatureBatch out = Result(stage, HalfABatch());
  EXPECT_EQ(out.size(), 2);
  EXPECT_EQ(out.samples[1].path, "b.jpg");
  EXPECT_EQ(out.samples[1].order, 14u);
  EXPECT_THAT(out.dims, ElementsAre(2, 1, 3));
  ASSERT_EQ(out.values.size(), 12u);
  EXPECT_THAT(std::vector<float>(out.values.data(), out.values.data() + 12),
              ElementsAre(-2, -0.5, 0, 2, -0.5, 0, -2, -0.5, 0, -2, -0.5, 0));
}

TEST_F(NormalizeTest, TakesFourTimesThePicturesAndWhatTheirSamplesTake) {
  const Normalize stage = Make({});
  EXPECT_THAT(stage.output().dims, ElementsAre(4, 2, 1, 3));
  EXPECT_EQ(stage.output().item_bytes, 4 * 24 + 100u);
  EXPECT_EQ(stage.footprint().item_bytes, stage.output().item_bytes);
}

TEST_F(NormalizeTest, IsOneThingForOneSetOfNumbers) {
  EXPECT_EQ(Make({}).DependsOn({}, 0), Make({}).DependsOn({.epoch = 3}, 8));
  EXPECT_NE(Make({}).DependsOn({}, 0), Make({.std = {1, 1, 1}}).DependsOn({}, 0));
}

TEST_F(NormalizeTest, RefusesABatchOnADevice) {
  Normalize stage = Make({});
  Batch batch = HalfABatch();
  batch.device = std::make_shared<DeviceBatch>();
  EXPECT_EQ(CaughtError([&] { Result(stage, batch); }),
            "normalize works on the host, and the batch is on a device\n"
            "Take `prefetch` out before it, or set prefetch.device: cpu.");
}

TEST_F(NormalizeTest, SaysWhichParameterIsWrong) {
  EXPECT_EQ(ProblemsOf<Normalize::Params>("{mean: [0, 0, 0], std: [1, 1, 1]}"), "");
  EXPECT_EQ(ProblemsOf<Normalize::Params>("std: [1, 0, 1]"),
            "a.yaml:1:10: `std[1]` takes 1e-06 to 1000, not 0\n"
            "    1 | std: [1, 0, 1]\n"
            "      |          ^");
  EXPECT_EQ(ProblemsOf<Normalize::Params>("std: [1, 1]"),
            "a.yaml:1:6: `std` takes a list of 3 numbers, not 2\n"
            "    1 | std: [1, 1]\n"
            "      |      ^");
  EXPECT_EQ(ProblemsOf<Normalize::Params>("mean: grey"),
            "a.yaml:1:7: `mean` takes a list of 3 numbers, not `grey`\n"
            "    1 | mean: grey\n"
            "      |       ^");
}

}  // namespace
}  // namespace weir
