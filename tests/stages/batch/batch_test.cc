#include "stages/batch/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr int kHeight = 2;
constexpr int kWidth = 3;
constexpr int kBytes = 3 * kHeight * kWidth;

Image Plain(std::uint64_t index, int height = kHeight) {
  Image image{{index, 1, std::to_string(index) + ".jpg"}, height, kWidth, {}};
  image.pixels = AlignedBuffer<std::uint8_t>(std::size_t{3} * height * kWidth);
  std::memset(image.pixels.data(), static_cast<int>(index), image.pixels.size());
  return image;
}

BatchImages Make(const BatchImages::Params& params) {
  Resources resources;
  BuildContext context{.upstream = {.dims = {kHeight, kWidth, 3}}, .resources = resources};
  return BatchImages(params, context);
}

std::optional<Batch> Add(BatchImages& batch, std::uint64_t index, std::uint64_t order,
                         const Pass& pass = {}) {
  StageContext context(pass, order, [] { return false; });
  return batch.Add(Plain(index), context);
}

std::optional<Batch> Complete(BatchImages& batch, std::uint64_t order) {
  StageContext context({}, order, [] { return false; });
  return batch.Complete(context);
}

std::optional<Batch> Flush(BatchImages& batch, const Pass& pass = {}) {
  StageContext context(pass, 0, [] { return false; });
  return batch.Flush(context);
}

std::vector<std::uint64_t> OrdersOf(const Batch& batch) {
  std::vector<std::uint64_t> orders;
  for (const Sample& sample : batch.samples) orders.push_back(sample.order);
  return orders;
}

TEST(BatchImages, CopiesEachPictureIntoItsSlot) {
  BatchImages stage = Make({.size = 2});
  EXPECT_FALSE(Add(stage, 7, 0));
  const std::optional<Batch> batch = Add(stage, 9, 1);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->size(), 2);
  EXPECT_EQ(batch->height, kHeight);
  EXPECT_EQ(batch->width, kWidth);
  EXPECT_EQ(batch->samples[1].path, "9.jpg");
  const std::uint8_t* pixels = batch->pixels.data();
  EXPECT_THAT(std::vector<std::uint8_t>(pixels, pixels + kBytes), Each(7));
  EXPECT_THAT(std::vector<std::uint8_t>(pixels + kBytes, pixels + 2 * kBytes), Each(9));
}

// So that a sample that is dropped leaves all other batches as they are.
TEST(BatchImages, IsAWindowOfThePassHoweverManyWereDropped) {
  BatchImages stage = Make({.size = 4});
  EXPECT_FALSE(Add(stage, 7, 4));
  EXPECT_FALSE(Complete(stage, 7));  // what had the orders 5 and 6 was dropped
  EXPECT_THAT(OrdersOf(Add(stage, 8, 7).value()), ElementsAre(4, 7));
  EXPECT_FALSE(Add(stage, 9, 9));
  EXPECT_THAT(OrdersOf(Complete(stage, 12).value()), ElementsAre(9));
}

TEST(BatchImages, CountsItsWindowsFromWhereThePassBegins) {
  BatchImages stage = Make({.size = 4});
  const Pass pass{.first_sample = 6};
  stage.BeginPass(pass);
  EXPECT_FALSE(Add(stage, 1, 7, pass));
  EXPECT_THAT(OrdersOf(Add(stage, 2, 9, pass).value()), ElementsAre(7, 9));
}

TEST(BatchImages, GivesTheRestAtTheEnd) {
  BatchImages stage = Make({.size = 4});
  Add(stage, 1, 0);
  Add(stage, 2, 1);
  const std::optional<Batch> rest = Flush(stage);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size(), 2);
  EXPECT_EQ(rest->pixels.size(), 4u * kBytes);
  EXPECT_FALSE(Flush(stage));
}

TEST(BatchImages, DropsTheRestOfATrainPassIfAsked) {
  BatchImages stage = Make({.size = 4, .drop_last = true});
  Add(stage, 1, 0);
  EXPECT_FALSE(Flush(stage, {.split = Split::kTrain}));
  Add(stage, 1, 0);
  EXPECT_TRUE(Flush(stage, {.split = Split::kValidation}));
}

TEST(BatchImages, BeginsEachPassEmpty) {
  BatchImages stage = Make({.size = 4});
  Add(stage, 1, 0);  // a picture of a pass that was cancelled
  stage.BeginPass({});
  EXPECT_FALSE(Flush(stage));
}

TEST(BatchImages, SaysWhatABatchIs) {
  BatchImages stage = Make({.size = 5});
  EXPECT_THAT(stage.output().dims, ElementsAre(5, kHeight, kWidth, 3));
  EXPECT_GE(stage.footprint().item_bytes, 5u * kBytes);
}

TEST(BatchImages, RefusesPicturesOfOtherSizes) {
  constexpr const char* kRemedy = "\nPut `augment: {size: [224, 224]}` before `batch`.";
  Resources resources;
  BuildContext varying{.upstream = {}, .resources = resources};
  EXPECT_EQ(CaughtError([&] { BatchImages({}, varying); }),
            std::string("batch: the pictures that arrive have no fixed size") + kRemedy);
  BatchImages stage = Make({.size = 2});
  StageContext context({}, 0, [] { return false; });
  EXPECT_EQ(CaughtError([&] { stage.Add(Plain(3, 7), context); }),
            std::string("batch: '3.jpg' arrives as 7 x 3 pixels, not 2 x 3") + kRemedy);
}

}  // namespace
}  // namespace weir
