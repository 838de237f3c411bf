#include "stages/device/host_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stages/payloads.h"
#include "stages/ranks/ranks.h"
#include "tests/support/head_layers.h"

namespace weir {
namespace {

const FrozenConfig kAll = {};
const FrozenConfig kNone = {.kind = FrozenConfig::Kind::kNone};

FrozenConfig Through(std::string name) {
  return {.kind = FrozenConfig::Kind::kThrough, .through = std::move(name)};
}

const Head kHead = {HeadAveragePooling(), HeadDense(128), HeadDenseOfClasses(Activation::kSoftmax)};

NetworkWork Work(FrozenConfig frozen) {
  return WorkOf(Model({.frozen = std::move(frozen), .head = kHead}, Convention::Keras(), {224, 224},
                      {"ants", "bees"}, 1));
}

// Height x width x outputs x inputs of each x kernel.
constexpr double kConv1 = 112.0 * 112 * 32 * 3 * 9;
constexpr double kExpandedConv = 112.0 * 112 * 32 * 9 + 112.0 * 112 * 16 * 32;
constexpr double kHeadWork = 1280.0 * 128 + 128 * 2;

TEST(WorkOf, IsThatOfConvolutionsAndDenseLayers) {
  EXPECT_EQ(Work(Through("Conv1")).prefix, kConv1);
  EXPECT_EQ(Work(Through("expanded_conv")).prefix, kConv1 + kExpandedConv);
  EXPECT_EQ(Work(kAll).behind, kHeadWork);
  EXPECT_EQ(Work(kNone).prefix, 0);
  EXPECT_EQ(Work(kNone).behind, Work(kAll).prefix + kHeadWork);
  // "300M" with a head of 1280 x 1000, in whole millions (Sandler et al., 2018, table 4).
  EXPECT_NEAR(Work(kAll).prefix + 1280 * 1000, 300e6, 1e6);
}

// A stage that draws other pictures in each epoch.
class Drawing final : public Stage {
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override { return ""; }
  int variants(Split split) const override { return split == Split::kTrain ? 0 : 1; }
};

// With 1000 pictures to train on, and 100 to validate with.
class HostSecondsTest : public testing::Test {
 protected:
  std::optional<double> Known(JobCourse course) const {
    Resources resources;
    resources.Put(std::make_shared<JobCourse>(std::move(course)));
    resources.Put(std::make_shared<Classes>(Classes{{"ants", "bees"}}));
    auto source = std::make_shared<ModelSource>();
    source->config.head = kHead;
    source->convention = Convention::Keras();
    resources.Put(source);
    if (ranks_) resources.Put(ranks_);
    if (!counts_.of_split.empty()) resources.Put(std::make_shared<SampleCounts>(counts_));
    return HostSeconds({.upstream = {dims_, 0},
                        .provenance = provenance_,
                        .resources = resources,
                        .workers = workers_});
  }
  double Seconds(JobCourse course) const { return Known(std::move(course)).value(); }

  SampleCounts counts_{{{Split::kTrain, 1000}, {Split::kValidation, 100}, {Split::kPredict, 500}}};
  Shape dims_{32, 224, 224, 3};
  Provenance provenance_;
  std::shared_ptr<Ranks> ranks_;
  int workers_ = 1;
};

TEST_F(HostSecondsTest, AreNotKnownWithoutWhatTheyDependOn) {
  EXPECT_TRUE(Known({.phases = {{kAll}}}));
  dims_.clear();
  EXPECT_FALSE(Known({.phases = {{kAll}}}));
  dims_ = {32, 224, 224, 3};
  counts_ = {};
  EXPECT_FALSE(Known({.phases = {{kAll}}}));
}

// 3.3 ms of a frozen picture, 20 ms of one that all is learnt from; the head is 0.05 % of it.
TEST_F(HostSecondsTest, AreThoseThatWereMeasured) {
  EXPECT_NEAR(Seconds({.phases = {{kAll, 1}}}), 1100 * 3.3e-3, 0.05);
  EXPECT_NEAR(Seconds({.phases = {{kNone, 1}}}), 1000 * 20e-3 + 100 * 20e-3 / 3, 0.2);
}

TEST_F(HostSecondsTest, AreThoseOfAllPhases) {
  const double network = Work(kAll).prefix;
  const double head = 1100 * network / 91e9 + 3 * (3 * 1000 + 100) * kHeadWork / 45e9;
  const double all = 2 * (3 * 1000 + 100) * (network + kHeadWork) / 45e9;
  EXPECT_DOUBLE_EQ(Seconds({.phases = {{kAll, 3}, {kNone, 2}}}), head + all);
}

TEST_F(HostSecondsTest, CountFeaturesOnceWhereTheyAreKept) {
  const double network = Work(kAll).prefix / 91e9;
  const double head = 5 * (3 * 1000 + 100) * kHeadWork / 45e9;
  EXPECT_DOUBLE_EQ(Seconds({.phases = {{kAll, 5}}}), 1100 * network + head);
  EXPECT_DOUBLE_EQ(Seconds({.phases = {{kAll, 5}}, .keeps_features = false}),
                   5 * 1100 * network + head);
  const Drawing drawing;
  provenance_.Add("augment", drawing);
  EXPECT_DOUBLE_EQ(Seconds({.phases = {{kAll, 5}}}), (5 * 1000 + 100) * network + head);
}

TEST_F(HostSecondsTest, OfAPassAreThoseOfItsPictures) {
  const double picture = Work(kAll).prefix / 91e9 + kHeadWork / 45e9;
  EXPECT_DOUBLE_EQ(Seconds({.split = Split::kPredict}), 500 * picture);
  EXPECT_DOUBLE_EQ(Seconds({.split = Split::kValidation}), 100 * picture);
}

TEST_F(HostSecondsTest, AreSharedOutToAllThreadsOfAllRanks) {
  const double alone = Seconds({.phases = {{kAll}}});
  workers_ = 4;
  EXPECT_DOUBLE_EQ(Seconds({.phases = {{kAll}}}), alone / 4);
  ranks_ = std::make_shared<Ranks>(Ranks{.share = {.ranks = 3}, .threads = 10});
  EXPECT_DOUBLE_EQ(Seconds({.phases = {{kAll}}}), alone / 10);
}

TEST(RoughText, HasNoMoreDigitsThanAreKnown) {
  EXPECT_EQ(RoughText(0.01), "1 s");
  EXPECT_EQ(RoughText(4.4), "4 s");
  EXPECT_EQ(RoughText(119), "119 s");
  EXPECT_EQ(RoughText(1200), "20 min");
  EXPECT_EQ(RoughText(3 * 3600), "3 h");
}

}  // namespace
}  // namespace weir
