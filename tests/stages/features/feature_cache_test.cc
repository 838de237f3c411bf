#include "stages/features/feature_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr std::size_t kValues = 4;
constexpr std::uint64_t kSamples = 20;
const Pass kTrain{.split = Split::kTrain};

// Several runs over the same pictures, of which the last two are the same, with one file.
class FeatureCacheTest : public ::testing::Test {
 protected:
  FeatureCacheTest() {
    for (std::uint64_t i = 0; i < kSamples; ++i) {
      folder_.Write(Name(i), "picture " + std::to_string(std::min(i, kSamples - 2)));
    }
    order_->index_end = kSamples;
    order_->begin = [this](const Pass& pass) {
      return [this, i = pass.first_sample]() mutable {
        return i < kSamples ? std::optional(SampleOf(i++)) : std::nullopt;
      };
    };
    counts_.of_split = {{Split::kTrain, kSamples}};
  }

  static std::string Name(std::uint64_t i) { return std::to_string(i) + ".jpg"; }
  Sample SampleOf(std::uint64_t i) const { return {i, 0, (folder_ / Name(i)).string()}; }
  std::unique_ptr<FeatureCache> Open() {
    return std::make_unique<FeatureCache>(
        FeatureRounds{.train = 1}, kValues, order_, counts_, Provenance(),
        std::make_unique<FeatureFile>(file_, kValues, "features of a test"));
  }
  void Keep(FeatureCache& cache, std::uint64_t first, std::uint64_t end) const {
    for (std::uint64_t i = first; i < end; ++i) {
      const std::vector<float> values(kValues, static_cast<float>(std::min(i, kSamples - 2)));
      cache.Keep(SampleOf(i), values.data());
    }
  }
  std::uint64_t Records() const {
    return FeatureFile(file_, kValues, "").ForEach([](auto&&...) {});
  }
  static void ExpectAll(const FeatureCache& cache) {
    for (std::uint64_t i = 0; i < kSamples; ++i) {
      std::vector<float> values(kValues);
      ASSERT_TRUE(cache.Load(i, values.data())) << i;
      EXPECT_EQ(values[kValues - 1], static_cast<float>(std::min(i, kSamples - 2)));
    }
  }

  ScratchFolder folder_;
  const std::filesystem::path file_ = folder_ / "cache/a.features";
  const std::shared_ptr<SampleOrder> order_ = std::make_shared<SampleOrder>();
  SampleCounts counts_;
};

TEST_F(FeatureCacheTest, RunsAtTheSameTimeAddEachRecordOnce) {
  const auto one = Open(), two = Open();
  one->BeginPass(kTrain);
  two->BeginPass(kTrain);
  EXPECT_FALSE(one->is_complete());
  Keep(*one, 0, 10);
  EXPECT_FALSE(two->Has(9)) << "nothing looks before it adds something";
  Keep(*two, 5, kSamples);
  EXPECT_TRUE(two->Has(0)) << "what the other made is not made again";
  Keep(*one, 10, kSamples);
  EXPECT_EQ(Records(), kSamples - 1) << "and two pictures are one";
  ExpectAll(*one);
  ExpectAll(*two);
  EXPECT_EQ(one->kept() + two->kept(), kSamples - 1);
}

TEST_F(FeatureCacheTest, ThreadsOfSeveralRunsAddEachRecordOnce) {
  const auto one = Open(), two = Open();
  one->BeginPass(kTrain);
  two->BeginPass(kTrain);
  std::thread beside([&] { Keep(*two, 0, kSamples); });
  Keep(*one, 0, kSamples);
  beside.join();
  EXPECT_EQ(Records(), kSamples - 1);
  ExpectAll(*one);
  ExpectAll(*two);
}

TEST_F(FeatureCacheTest, WhatOthersAddedIsThereInTheNextPass) {
  const auto one = Open(), two = Open();
  two->BeginPass(kTrain);
  two->EndPass(/*saw_all=*/false);
  one->BeginPass(kTrain);
  Keep(*one, 0, kSamples);
  two->BeginPass({.split = Split::kTrain, .epoch = 1});
  EXPECT_TRUE(two->is_complete());
  EXPECT_EQ(two->found(), kSamples);
  ExpectAll(*two);
}

TEST_F(FeatureCacheTest, ADamagedRecordIsAddedAnew) {
  const auto one = Open();
  one->BeginPass(kTrain);
  Keep(*one, 0, kSamples);
  {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 + 30).put('\x5a');
  }
  const auto two = Open();
  two->BeginPass(kTrain);
  EXPECT_EQ(two->found(), kSamples - 1);
  Keep(*two, 0, 1);
  ExpectAll(*two);
  EXPECT_EQ(Records(), kSamples);
}

}  // namespace
}  // namespace weir
