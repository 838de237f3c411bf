// Features that stay on the card that made them, for what learns there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

constexpr int kBatch = 4;
constexpr int kStaying = 2;

SmallTraining Small(FrozenConfig::Kind frozen) {
  SmallTraining training({.kind = frozen});
  training.input = {32, 32};
  return training;
}

std::vector<float> Fetched(const FeatureBatch& features) {
  AlignedBuffer<float> values(features.samples.size() *
                              static_cast<std::size_t>(ValuesIn(features.dims)));
  features.device->Fetch(values);
  return {values.data(), values.data() + values.size()};
}

TEST(FeaturesOnACard, AreThoseOfTheHost) {
  const TestGpu gpu;
  for (const auto frozen : {FrozenConfig::Kind::kNone, FrozenConfig::Kind::kAll}) {
    const Model model = TestModel(frozen, {32, 32});
    const auto prefix =
        gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch, kStaying);
    const auto uploader = gpu.device->MakeUploader(1, std::size_t{kBatch} * 32 * 32 * 3);
    for (const int samples : {kBatch, kBatch - 1}) {
      for (const bool is_uploaded : {true, false}) {
        Batch batch = TestBatch(model, samples);
        if (is_uploaded) uploader->Upload(batch);
        const FeatureBatch left = prefix->RunAndLeave(std::move(batch));
        ASSERT_NE(left.device, nullptr);
        EXPECT_TRUE(left.is_whole());
        EXPECT_EQ(left.bytes(), 0u);
        EXPECT_EQ(left.size(), samples);
        EXPECT_TRUE(Fetched(left) == Values(prefix->Run(TestBatch(model, samples))));
      }
    }
  }
}

// As many as there are places; whoever comes then goes to the host, and a place that is given back
// is taken again.
TEST(FeaturesOnACard, AreOfAsManyBatchesAsWereAskedFor) {
  const TestGpu gpu;
  const Model model = TestModel(FrozenConfig::Kind::kNone, {32, 32});
  const auto prefix =
      gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch, kStaying);
  for (int round = 0; round < 3; ++round) {
    std::vector<FeatureBatch> held;
    for (int i = 0; i < kStaying; ++i) {
      held.push_back(prefix->RunAndLeave(TestBatch(model, kBatch, 10 + i)));
      EXPECT_NE(held.back().device, nullptr) << round;
    }
    const FeatureBatch one_more = prefix->RunAndLeave(TestBatch(model, kBatch, 20));
    EXPECT_EQ(one_more.device, nullptr);
    EXPECT_TRUE(Values(one_more) == Values(prefix->Run(TestBatch(model, kBatch, 20))));
    for (int i = 0; i < kStaying; ++i) {  // none was written over by another
      EXPECT_TRUE(Fetched(held[i]) == Values(prefix->Run(TestBatch(model, kBatch, 10 + i))));
    }
  }
}

// Also where the card is late: what is learnt from still is read when the next is made.
TEST(FeaturesOnACard, AreLearntFromToTheBitsOfTheHosts) {
  const TestGpu gpu;
  const SmallTraining training = Small(FrozenConfig::Kind::kNone);
  const auto model = training.MakeModel();
  std::vector<std::vector<float>> states;
  for (const int staying : {0, 1, kStaying}) {
    const auto prefix =
        gpu.device->MakePrefix(*model, TestWeights, Precision::kFloat32, kBatch, staying);
    Running running(training, {.batch = kBatch, .device = gpu.device});
    sim::SetDelays(static_cast<unsigned>(staying));
    for (int step = 0; step < 4; ++step) {
      const int samples = kBatch - step % 2;
      const FeatureBatch features = prefix->RunAndLeave(TestBatch(*model, samples, 30 + step));
      if (step == 0) {
        EXPECT_EQ(features.device != nullptr, staying > 0);
      }
      running.Learn(features, step);
    }
    sim::SetDelays(0);
    states.push_back(running.State());
  }
  EXPECT_TRUE(states[1] == states[0]);
  EXPECT_TRUE(states[2] == states[0]);
}

// They are given up before the micro-batch is made smaller.
TEST(FeaturesOnACard, GiveTheirRoomToWhatLearns) {
  const TestGpu gpu;
  const Model model = TestModel(FrozenConfig::Kind::kNone, {32, 32});
  const auto prefix =
      gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch, kStaying);
  EXPECT_TRUE(gpu.device->MakeRoom());
  EXPECT_EQ(prefix->RunAndLeave(TestBatch(model, kBatch)).device, nullptr);
}

}  // namespace
}  // namespace weir
