// `train` with a device: what it does differently from the host, on LibTorch's own processor, so
// that it is tested where there is no GPU. What needs one is in cuda/cuda_train_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "stages/train/activation_plan.h"
#include "stages/train/optimizers/adagrad.h"
#include "stages/train/optimizers/sgd.h"
#include "stages/train/trainable_model.h"
#include "tests/stages/device/processor_device.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/head_layers.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

Running::Options OnDevice(std::shared_ptr<ProcessorDevice> device = nullptr) {
  if (!device) device = std::make_shared<ProcessorDevice>();
  return {.device = std::move(device)};
}

void ExpectNear(const std::vector<float>& a, const std::vector<float>& b, double part) {
  ASSERT_EQ(a.size(), b.size());
  double scale = 0;
  for (float value : b) scale = std::max<double>(scale, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], part * scale) << i;
}

// Two steps of plain descent, as Adam's first ones amplify the rounding of sums in another order,
// to float32's rounding through up to 52 layers there and back; each further step amplifies it, by
// an amount that differs from processor to processor.
TEST(TrainOnDevice, LearnsWhatTheHostDoes) {
  SmallTraining on_batch({.kind = FrozenConfig::Kind::kThrough, .through = "block_14"});
  on_batch.input = {64, 64};
  on_batch.source->config.backbone.batch_norm = BatchNormMode::kTrain;
  SmallTraining unfrozen({.kind = FrozenConfig::Kind::kNone}, Convention::Torchvision());
  unfrozen.input = {64, 64};
  for (const SmallTraining& training : {HeadOnly(), PartlyFrozen(), on_batch, unfrozen}) {
    training.config->optimizer =
        std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.02, .momentum = 0.9});
    Running host(training);
    Running device(training, OnDevice());
    EXPECT_EQ(device.State(), host.State());  // the start
    host.Pass(Split::kTrain, 0, 16);
    device.Pass(Split::kTrain, 0, 16);
    ExpectNear(device.State(), host.State(), 1e-4);
    EXPECT_NEAR(device.learner().metrics().loss(), host.learner().metrics().loss(), 1e-4);
    host.Pass(Split::kValidation, 0, 12);
    device.Pass(Split::kValidation, 0, 12);
    EXPECT_NEAR(device.learner().metrics().loss(), host.learner().metrics().loss(), 1e-4);
  }
}

TEST(TrainOnDevice, ResumedItIsAsIfItHadNeverStopped) {
  const ScratchFolder folder;
  const SmallTraining training = PartlyFrozen();
  Running whole(training, OnDevice());
  int steps = 0;
  whole.learner().after_step = [&] {
    if (++steps == 4) whole.learner().Save(folder / "at step 4", "remembered");
  };
  for (int epoch = 0; epoch < 2; ++epoch) whole.Pass(Split::kTrain, epoch, 24);
  whole.learner().Save(folder / "whole", "");

  Running resumed(training, OnDevice());
  EXPECT_EQ(resumed.learner().Restore(folder / "at step 4"), "remembered");
  resumed.Pass(Split::kTrain, 1, 24, 8);
  resumed.learner().Save(folder / "resumed", "");
  EXPECT_TRUE(FileText(folder / "resumed") == FileText(folder / "whole"));
}

TEST(TrainOnDevice, GoesOnWithWhatTheHostSavedAndTheOtherWayRound) {
  const ScratchFolder folder;
  const SmallTraining training = PartlyFrozen();
  Running host(training);
  host.Pass(Split::kTrain, 0, 16);
  host.learner().Save(folder / "state", "");
  Running device(training, OnDevice());
  device.learner().Restore(folder / "state");
  EXPECT_TRUE(device.State() == host.State());
  device.learner().Save(folder / "back", "");
  EXPECT_TRUE(FileText(folder / "back") == FileText(folder / "state"));
}

// The weights stay, as does where the slots of what learns anew begin.
TEST(TrainOnDevice, APhaseBeginsAsOnTheHost) {
  const ScratchFolder folder;
  const auto with_adagrad = [](SmallTraining training) {
    training.config->optimizer = std::make_shared<Adagrad>(Adagrad::Params{});
    return training;
  };
  Running first(with_adagrad(HeadOnly()));
  first.Pass(Split::kTrain, 0, 16);
  first.learner().EndEpoch(0.5);
  first.learner().Save(folder / "ended", "");
  SmallTraining more({.kind = FrozenConfig::Kind::kThrough, .through = "block_15"});
  more.config->ema = Ema{};
  with_adagrad(more);
  Running host(more), device(more, OnDevice());
  const std::vector<float> before = host.State();  // to look at the device's would fetch it
  host.learner().BeginPhase(folder / "ended", /*keeps_optimizer=*/true);
  device.learner().BeginPhase(folder / "ended", /*keeps_optimizer=*/true);
  EXPECT_TRUE(device.State() == before);
  host.learner().Save(folder / "host", "");
  device.learner().Save(folder / "device", "");
  EXPECT_TRUE(FileText(folder / "device") == FileText(folder / "host"));
}

TEST(TrainOnDevice, TakesTheWholeBatchAtOnceWhereThatFits) {
  auto device = std::make_shared<ProcessorDevice>();
  Running running(PartlyFrozen(), OnDevice(device));
  EXPECT_EQ(device->tries.size(), 2u);  // one sample, eight
}

// The gradients of two quarters added up are those of the half, to the rounding.
// As the prefix does: a batch of 1200 is learnt from in four parts, though all of it would fit.
TEST(TrainOnDevice, CutsABatchOfTooManySamples) {
  const auto tried = [](std::optional<int> micro_batch) {
    const SmallTraining training = HeadOnly();
    if (micro_batch) training.config->micro_batch = *micro_batch;
    auto device = std::make_shared<ProcessorDevice>();
    Running::Options options = OnDevice(device);
    options.batch = 1200;
    const Running running(training, options);
    return device->tries;
  };
  const std::vector<std::size_t> cut = tried(std::nullopt);
  ASSERT_EQ(cut.size(), 2u);  // one sample, 300
  EXPECT_LT(cut.back(), tried(1200).back() / 2);
}

TEST(TrainOnDevice, CutsTheBatchUntilItFits) {
  SmallTraining training({.kind = FrozenConfig::Kind::kNone});
  training.input = {96, 96};
  training.config->optimizer = std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.05});
  auto roomy = std::make_shared<ProcessorDevice>();
  Running whole(training, OnDevice(roomy));
  whole.Pass(Split::kTrain, 0, 15);

  auto narrow = std::make_shared<ProcessorDevice>(roomy->tries.back() / 2);
  Running cut(training, OnDevice(narrow));
  ASSERT_GE(narrow->tries.size(), 3u);  // one, eight, four, ...
  EXPECT_LE(narrow->tries.back(), roomy->tries.back() / 2);
  cut.Pass(Split::kTrain, 0, 15);
  ExpectNear(cut.State(), whole.State(), 1e-5);
}

TEST(TrainOnDevice, RefusesWhatDoesNotFit) {
  const auto narrow = [] { return OnDevice(std::make_shared<ProcessorDevice>(1)); };
  SmallTraining training = PartlyFrozen();
  EXPECT_EQ(CaughtError([&] { Running running(training, narrow()); }),
            "train: not one sample fits on the GPU\nRaise memory.device.");
  training.config->micro_batch = 4;
  EXPECT_EQ(CaughtError([&] { Running running(training, narrow()); }),
            "train: a micro-batch of 4 samples does not fit on the GPU\nRaise memory.device.");
  training.config->micro_batch = {};
  training.source->config.backbone.batch_norm = BatchNormMode::kTrain;
  EXPECT_EQ(CaughtError([&] { Running running(training, narrow()); }),
            "train: a micro-batch of 8 samples does not fit on the GPU\nRaise memory.device.");
}

TEST(TrainOnDevice, KeepsTheMicroBatchThatIsAskedFor) {
  SmallTraining training = PartlyFrozen();
  training.config->micro_batch = 3;
  auto device = std::make_shared<ProcessorDevice>();
  Running running(training, OnDevice(device));
  EXPECT_EQ(device->tries.size(), 1u);
}

TEST(TrainOnDevice, MeasuringLearnsNothing) {
  Running running(PartlyFrozen(),
                  {.training = false, .device = std::make_shared<ProcessorDevice>()});
  const std::vector<float> before = running.State();
  running.Pass(Split::kTest, 0, 16);
  EXPECT_EQ(running.learner().metrics().images, 16u);
  EXPECT_TRUE(running.State() == before);
}

// Nothing of what is on the device is leased on the host: a copy of the state, and either a
// layer of the backbone or what goes to and fro.
TEST(TrainOnDevice, LeasesOnTheHostWhatIsThere) {
  const SmallTraining training = PartlyFrozen();
  Running running(training, OnDevice());
  const Footprint footprint = running.footprint();
  const Optimizer& optimizer = *training.config->optimizer;
  const std::size_t state = TrainableModel::StateBytes(running.model(), optimizer, true);
  EXPECT_FALSE(footprint.lever.has_value());
  EXPECT_EQ(footprint.held_bytes(),
            state + LayerReadingBytes(running.model().network()) + 8 * (3 * 4 + 8));
  EXPECT_EQ(running.budget().usage().peak_bytes, footprint.held_bytes());

  SmallTraining wide = HeadOnly();
  wide.input = {224, 224};
  wide.source->config.head.insert(wide.source->config.head.begin(), HeadDropout());
  const auto model = wide.MakeModel();  // a mask of 7 x 7 x 1280 a sample
  EXPECT_GE(StagingBytes(*model, 32), std::size_t{32} * 7 * 7 * 1280 * 4);
}

}  // namespace
}  // namespace weir
