// `train` on a GPU against itself on the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "stages/train/optimizers/sgd.h"
#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

struct Case {
  const char* name;
  SmallTraining training;
  double tolerance;
};

// Float32 without TF32 on both sides, in other orders of sums. Through all of a random network an
// activation that crosses ReLU6's kink by that changes gradients in the first or second digit: so
// does the host with another micro-batch (measured: up to 0.12).
constexpr double kThroughFewLayers = 1e-3;
constexpr double kThroughAllLayers = 0.25;

// A training of 8 samples a batch by plain descent, as Adam's first steps amplify rounding.
Case Named(const char* name, SmallTraining training, double tolerance = kThroughFewLayers) {
  training.config->optimizer =
      std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.02, .momentum = 0.9});
  return {name, std::move(training), tolerance};
}

SmallTraining Unfrozen(const Convention& convention) {
  SmallTraining training({.kind = FrozenConfig::Kind::kNone}, convention);
  training.input = {96, 96};
  return training;
}

SmallTraining OnStatisticsOfTheBatch() {
  SmallTraining training({.kind = FrozenConfig::Kind::kThrough, .through = "block_12"});
  training.input = {96, 96};
  training.source->config.backbone.batch_norm = BatchNormMode::kTrain;
  return training;
}

SmallTraining EveryHeadLayer() {
  SmallTraining training({.kind = FrozenConfig::Kind::kThrough, .through = "block_16"});
  training.input = {64, 64};
  training.source->config.head = {HeadDropout(0.3),
                                  HeadMaxPooling(),
                                  HeadBatchNorm(),
                                  HeadDense(8, Activation::kRelu6),
                                  HeadDense(8, Activation::kSigmoid),
                                  HeadDenseOfClasses()};
  return training;
}

std::vector<Case> Cases() {
  return {Named("head", HeadOnly()),
          Named("last_blocks", PartlyFrozen()),
          Named("everything_keras", Unfrozen(Convention::Keras()), kThroughAllLayers),
          Named("everything_torchvision", Unfrozen(Convention::Torchvision()), kThroughAllLayers),
          Named("batch_norm_train", OnStatisticsOfTheBatch()),
          Named("head_layers", EveryHeadLayer())};
}

// What came of a training beside where it began.
std::vector<double> Change(const std::vector<float>& from, const std::vector<float>& to) {
  std::vector<double> change(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) change[i] = double{to[i]} - from[i];
  return change;
}

// |a - b| / |b|.
double Distance(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0, length = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    length += b[i] * b[i];
  }
  EXPECT_GT(length, 0);
  return std::sqrt(difference / length);
}

std::vector<double> Probabilities(Running& running) {
  std::vector<double> all;
  running.learner().on_prediction = [&](const Sample&, std::span<const float> each) {
    all.insert(all.end(), each.begin(), each.end());
  };
  running.Pass(Split::kTest, 0, 11);  // a last batch that is not full
  return all;
}

class CudaTrain : public testing::TestWithParam<Case> {};

TEST_P(CudaTrain, LearnsWhatTheHostDoes) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  Running host(GetParam().training);
  Running device(GetParam().training, {.device = gpu.device});
  const std::vector<float> start = host.State();
  ASSERT_EQ(device.State(), start);
  EXPECT_LT(Distance(Probabilities(device), Probabilities(host)), 1e-4);

  host.Pass(Split::kTrain, 0, 8);  // one step: the gradient
  device.Pass(Split::kTrain, 0, 8);
  EXPECT_LT(Distance(Change(start, device.State()), Change(start, host.State())),
            GetParam().tolerance);

  host.Pass(Split::kTrain, 1, 15);  // two more, the second of 7 samples
  device.Pass(Split::kTrain, 1, 15);
  EXPECT_LT(Distance(Change(start, device.State()), Change(start, host.State())),
            GetParam().tolerance);
  EXPECT_NEAR(device.learner().metrics().loss(), host.learner().metrics().loss(),
              GetParam().tolerance);
  EXPECT_LT(Distance(Probabilities(device), Probabilities(host)), GetParam().tolerance);
}

TEST_P(CudaTrain, GivesTheSameBitsInEveryRunAndResumed) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const ScratchFolder folder;
  Running whole(GetParam().training, {.device = gpu.device});
  whole.Pass(Split::kTrain, 0, 16);
  whole.learner().Save(folder / "first", "");
  whole.Pass(Split::kTrain, 1, 16);

  Running resumed(GetParam().training, {.device = gpu.device});
  resumed.learner().Restore(folder / "first");
  resumed.Pass(Split::kTrain, 1, 16);
  EXPECT_TRUE(resumed.State() == whole.State());
}

INSTANTIATE_TEST_SUITE_P(Trainings, CudaTrain, testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CudaTrainMemory, KeepsToItsLimitWithMicroBatchesThatFit) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  SmallTraining training = Unfrozen(Convention::Keras());
  training.input = {224, 224};
  training.source->config.backbone.width = 1;
  // A whole batch of 32 takes over 4 GB.
  const std::size_t limit = gpu.device->usage().used_bytes + (std::size_t{1000} << 20);
  gpu.device->SetLimit(limit);
  Running running(training, {.batch = 32, .device = gpu.device});
  running.Pass(Split::kTrain, 0, 80);
  EXPECT_LE(gpu.device->usage().peak_bytes, limit);
}

TEST(CudaTrainMemory, RefusesWhereNotOneSampleFits) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  SmallTraining training = Unfrozen(Convention::Keras());
  training.input = {1024, 1024};
  training.source->config.backbone.width = 1;
  gpu.device->SetLimit(gpu.device->usage().used_bytes + (std::size_t{300} << 20));
  EXPECT_THAT(CaughtError([&] { Running running(training, {.device = gpu.device}); }),
              testing::MatchesRegex("train: not one sample fits on the GPU: .* of .* are in use "
                                    "\\(.* by CUDA itself\\), and 64.0 MiB are kept for its "
                                    "kernels\nRaise memory.device, or run on the processor .*"));
}

}  // namespace
}  // namespace weir
