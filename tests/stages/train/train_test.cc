#include "stages/train/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>

#include "stages/train/metrics/top_k.h"
#include "stages/train/optimizers/sgd.h"
#include "stages/train/torch/torch_allocator.h"
#include "stages/train/trainable_model.h"
#include "tests/stages/train/running_train.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

// First of all, as threads that another test had started would hide new ones.
TEST(Train, StartsNoThreads) {
  const auto threads = [] {
    const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  tbb::task_arena arena(1);
  const auto before = threads();
  arena.execute([&] {
    SmallTraining training({.kind = FrozenConfig::Kind::kThrough, .through = "block_5"});
    training.input = {96, 96};
    Running running(training, {.in_flight = 2});
    running.Pass(Split::kTrain, 0, 8);
  });
  EXPECT_EQ(threads(), before);
}

TEST(Train, LearnsWhatCanBeLearnt) {
  for (const SmallTraining& training : {HeadOnly(), PartlyFrozen()}) {
    Running running(training);
    for (int epoch = 0; epoch < 12; ++epoch) running.Pass(Split::kTrain, epoch, 24);
    running.Pass(Split::kValidation, 0, 24);
    const Metrics metrics = running.learner().metrics();
    EXPECT_EQ(metrics.accuracy(), 1);
    EXPECT_EQ(metrics.images, 24u);
  }
}

TEST(Train, TheBitsDependNeitherOnThreadsNorOnHowManyMicroBatchesAreInFlight) {
  std::vector<float> first;
  for (int threads : {1, 2, 4}) {
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    for (int in_flight : {1, 2, 4}) {
      tbb::task_arena arena(threads);
      arena.execute([&] {
        Running running(PartlyFrozen(), {.batch = 7, .in_flight = in_flight});
        for (int epoch = 0; epoch < 2; ++epoch) running.Pass(Split::kTrain, epoch, 21);
        const std::vector<float> state = running.State();
        if (first.empty()) first = state;
        EXPECT_TRUE(state == first) << threads << " threads, " << in_flight << " in flight";
      });
    }
  }
}

TEST(Train, WithFewerMicroBatchesAtOnceItHoldsLessAndLearnsTheSame) {
  tbb::task_arena arena(4);
  arena.execute([] {
    Running steady(PartlyFrozen(), {.batch = 8, .in_flight = 4});
    Running lowered(PartlyFrozen(), {.batch = 8, .in_flight = 4});
    steady.Pass(Split::kTrain, 0, 24);
    lowered.Pass(Split::kTrain, 0, 24);
    const std::size_t before = TorchAllocator::Install().usage().used_bytes;
    lowered.LowerLever(1);
    lowered.Pass(Split::kTrain, 1, 24);
    EXPECT_EQ(before - TorchAllocator::Install().usage().used_bytes,
              3 * TrainableModel::GradientBytes(lowered.model()));
    steady.Pass(Split::kTrain, 1, 24);
    EXPECT_TRUE(lowered.State() == steady.State());
  });
}

// The sums are made in another order: float32's rounding, in Adam's first steps amplified.
TEST(Train, MicroBatchesLearnWhatTheWholeBatchDoes) {
  SmallTraining training = PartlyFrozen();
  training.config->optimizer = std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.05});
  std::vector<std::vector<float>> states;
  for (int micro_batch : {8, 3, 1}) {
    training.config->micro_batch = micro_batch;
    Running running(training);
    running.Pass(Split::kTrain, 0, 16);
    states.push_back(running.State());
  }
  double scale = 0;
  for (float value : states[0]) scale = std::max<double>(scale, std::abs(value));
  for (std::size_t i = 0; i < states[0].size(); ++i) {
    ASSERT_NEAR(states[1][i], states[0][i], 1e-5 * scale) << i;
    ASSERT_NEAR(states[2][i], states[0][i], 1e-5 * scale) << i;
  }
}

TEST(Train, GivesAWholeModelWithWhatFrozeAsItWas) {
  Running running(PartlyFrozen());
  running.Pass(Split::kTrain, 0, 8);
  const BackboneWeights start = LivelyBackbone(running.model().network());
  std::vector<std::string> names;
  std::map<std::string, std::vector<float>> tensors;
  running.learner().ForEachTensor([&](const NamedTensor& tensor) {
    names.push_back(tensor.name);
    tensors[tensor.name].assign(tensor.values.begin(), tensor.values.end());
  });
  EXPECT_EQ(tensors["features.0.0.weight"], start.layers[0].kernel);
  EXPECT_NE(tensors["features.18.0.weight"], start.layers.back().kernel);
  EXPECT_EQ(tensors["features.18.1.running_mean"], start.layers.back().mean);
  EXPECT_EQ(names.size(), 52 * 5 + 4u);
  EXPECT_EQ(names[0], "features.0.0.weight");
  EXPECT_EQ(names[4], "features.0.1.running_var");
  EXPECT_EQ(names.back(), "head.3.bias");
}

TEST(Train, PredictionsAreGivenInOrderAndSumToOne) {
  Running running(HeadOnly(), {.training = false});
  std::vector<std::uint64_t> order;
  running.learner().on_prediction = [&](const Sample& sample, std::span<const float> each) {
    order.push_back(sample.index);
    EXPECT_NEAR(each[0] + each[1] + each[2], 1, 1e-6);
  };
  running.Pass(Split::kPredict, 0, 10);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(running.learner().metrics().images, 0u);
}

// What it is of a picture is its label.
class LabelMetric final : public PictureMetric {
 public:
  YamlNode ToYaml() const override { return {}; }
  std::string_view name() const override { return "label"; }
  double Of(std::span<const float>, const Sample& sample) const override { return sample.label; }
};

// One that is asked for in the middle of an epoch is the mean of what came from there on.
TEST(Train, ReportsTheMetricsThatAreNamed) {
  const ScratchFolder folder;
  const SmallTraining plain = HeadOnly();
  Running first(plain);
  first.Pass(Split::kTrain, 0, 8);
  first.learner().Save(folder / "plain", "");

  const SmallTraining with_label = HeadOnly();
  with_label.config->metrics.push_back(std::make_shared<const LabelMetric>());
  Running running(with_label);
  running.learner().Restore(folder / "plain");
  running.Pass(Split::kTrain, 0, 14, 8);  // labels 2 0 1 2 0 1
  const Metrics metrics = running.learner().metrics();
  ASSERT_EQ(metrics.means.size(), 2u);
  EXPECT_EQ(metrics.means[0].name, "accuracy");
  EXPECT_EQ(metrics.means[0].images, 14u);
  EXPECT_EQ(metrics.means[1].name, "label");
  EXPECT_EQ(metrics.means[1].value(), 1);
  running.learner().Save(folder / "with label", "");

  Running again(with_label);
  again.learner().Restore(folder / "with label");
  EXPECT_EQ(again.learner().position().metrics.means[1].images, 6u);
  first.learner().Restore(folder / "with label");  // it is no longer asked for
  EXPECT_EQ(first.learner().position().metrics.means.size(), 1u);
}

std::size_t PredictionBytes(const Running& running) {
  for (const HeldPart& part : running.footprint().held) {
    if (part.what == "predictions") return part.bytes;
  }
  ADD_FAILURE() << "they are not planned";
  return 0;
}

// Those of the whole pass are of validation, at its end, and take memory only where they are named.
TEST(Train, ReportsTheMetricsOfAllPredictionsOfAPass) {
  const SampleCounts counts{{{Split::kTrain, 16}, {Split::kValidation, 20}}};
  EXPECT_EQ(PredictionBytes(Running(HeadOnly(), {.counts = counts})), 0u);

  const SmallTraining training = HeadOnly();
  for (const Part<Metric>& part : Metric::All()) {
    Problems problems;
    const YamlNode k = YamlNode::Map({{"k", YamlNode::Scalar("2")}});
    training.config->metrics.push_back(
        part.read(part.names.front() == "top_k" ? k : YamlNode(), problems));
  }
  Running running(training, {.counts = counts});
  // An outcome, the probabilities of 3 classes and a number to sort by for each of 20 pictures.
  EXPECT_EQ(PredictionBytes(running), 20 * (12 + 3 * 4 + 8) + 3 * (24 + 4u));
  running.Pass(Split::kTrain, 0, 16);
  EXPECT_TRUE(running.learner().metrics().of_pass.empty());
  running.Pass(Split::kValidation, 0, 20);
  const Metrics metrics = running.learner().metrics();
  EXPECT_EQ(metrics.of_pass.size(), 9u);
  EXPECT_EQ(metrics.value("loss"), metrics.loss());
  EXPECT_EQ(metrics.value("accuracy"), metrics.accuracy());
  EXPECT_GE(*metrics.value("top_2"), metrics.accuracy());
  EXPECT_NEAR(*metrics.value("weighted_recall"), metrics.accuracy(), 1e-12);
  EXPECT_GT(*metrics.value("roc_auc"), 0.5);
  EXPECT_EQ(metrics.value("another"), std::nullopt);
  EXPECT_TRUE(running.learner().position().metrics.of_pass.empty());
}

TEST(Train, RefusesMoreOfTheMostProbableThanThereAreClasses) {
  const SmallTraining training = HeadOnly();
  training.config->metrics.push_back(std::make_shared<const TopK>(TopK::Params{.k = 4}));
  EXPECT_EQ(CaughtError([&] { Running running(training); }),
            "training.metrics: top_k with k: 4 is more than the 3 classes\nGive a smaller k.");
}

TEST(Train, MeasuringLearnsNothing) {
  SmallTraining training = HeadOnly();
  training.source->config.head.insert(training.source->config.head.begin() + 1, HeadBatchNorm());
  Running running(training);
  const std::vector<float> before = running.State();
  running.Pass(Split::kValidation, 0, 16);
  running.Pass(Split::kTest, 0, 16);
  EXPECT_TRUE(running.State() == before);
}

// What LibTorch held, against what the plan said that the stage would hold.
void ExpectMemoryAsPlanned(const SmallTraining& training, Running::Options options,
                           double at_least) {
  TorchAllocator& allocator = TorchAllocator::Install();
  const std::size_t before = allocator.usage().used_bytes;
  Running running(training, options);
  allocator.ResetPeak();
  running.Pass(Split::kTrain, 0, 2 * options.batch);
  const Footprint footprint = running.footprint();
  const double planned =
      static_cast<double>(footprint.held_bytes() +
                          options.in_flight * footprint.lever->BytesEach(options.is_low_memory));
  const double measured = static_cast<double>(allocator.usage().peak_used_bytes - before);
  EXPECT_LE(measured, planned);
  EXPECT_GE(measured, at_least * planned);
  EXPECT_EQ(running.budget().usage().peak_bytes, static_cast<std::size_t>(planned));
}

TEST(Train, HoldsWhatThePlanSays) {
  tbb::task_arena arena(1);
  arena.execute([] {
    for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
      for (int micro_batch : {1, 4}) {
        SmallTraining unfrozen({.kind = FrozenConfig::Kind::kNone}, convention);
        unfrozen.input = {160, 160};
        unfrozen.source->config.backbone.width = 1;
        unfrozen.config->micro_batch = micro_batch;
        ExpectMemoryAsPlanned(unfrozen, {.batch = 4}, 0.8);
      }
    }
    SmallTraining on_batch({.kind = FrozenConfig::Kind::kNone});
    on_batch.input = {160, 160};
    on_batch.source->config.backbone.batch_norm = BatchNormMode::kTrain;
    ExpectMemoryAsPlanned(on_batch, {.batch = 4}, 0.8);
    SmallTraining partly({.kind = FrozenConfig::Kind::kThrough, .through = "block_5"});
    partly.input = {224, 224};
    ExpectMemoryAsPlanned(partly, {.batch = 4}, 0.75);
    SmallTraining head = HeadOnly();
    head.source->config.head[1] = HeadDense(1024, Activation::kTanh);
    ExpectMemoryAsPlanned(head, {.batch = 32}, 0.7);
  });
}

TEST(Train, HoldsWhatThePlanSaysWhereActivationsAreRecomputed) {
  tbb::task_arena arena(1);
  arena.execute([] {
    for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
      SmallTraining unfrozen({.kind = FrozenConfig::Kind::kNone}, convention);
      unfrozen.input = {160, 160};
      unfrozen.source->config.backbone.width = 1;
      unfrozen.config->micro_batch = 2;
      ExpectMemoryAsPlanned(unfrozen, {.batch = 4, .is_low_memory = true}, 0.75);
    }
    SmallTraining on_batch({.kind = FrozenConfig::Kind::kNone});
    on_batch.input = {160, 160};
    on_batch.source->config.backbone.batch_norm = BatchNormMode::kTrain;
    ExpectMemoryAsPlanned(on_batch, {.batch = 4, .is_low_memory = true}, 0.75);
    SmallTraining partly({.kind = FrozenConfig::Kind::kThrough, .through = "block_5"});
    partly.input = {224, 224};
    ExpectMemoryAsPlanned(partly, {.batch = 4, .is_low_memory = true}, 0.75);
  });
}

// Running statistics included, which follow once a batch.
TEST(Train, LearnsTheSameWhereActivationsAreRecomputed) {
  const auto learnt = [](const SmallTraining& training, bool is_low_memory) {
    Running running(training, {.in_flight = 2, .is_low_memory = is_low_memory});
    for (int epoch = 0; epoch < 2; ++epoch) running.Pass(Split::kTrain, epoch, 20);
    return running.State();
  };
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (BatchNormMode mode : {BatchNormMode::kStored, BatchNormMode::kTrain}) {
      SmallTraining unfrozen({.kind = FrozenConfig::Kind::kNone}, convention);
      SmallTraining partly({.kind = FrozenConfig::Kind::kThrough, .through = "block_9_expand"},
                           convention);
      SmallTraining patchy(
          {.kind = FrozenConfig::Kind::kPatterns, .patterns = {"block_1*", "Conv1"}}, convention);
      for (SmallTraining* training : {&unfrozen, &partly, &patchy}) {
        training->source->config.backbone.batch_norm = mode;
        EXPECT_TRUE(learnt(*training, true) == learnt(*training, false));
      }
    }
  }
}

TEST(Train, RefusesMicroBatchesThatMakeNoSense) {
  SmallTraining training = PartlyFrozen();
  training.config->micro_batch = 9;
  EXPECT_EQ(CaughtError([&] { Running running(training); }),
            "training.micro_batch: 9 is more than the batch of 8\n"
            "Give a smaller one, or a larger batch.");
  training.config->micro_batch = 2;
  training.source->config.backbone.batch_norm = BatchNormMode::kTrain;
  EXPECT_EQ(CaughtError([&] { Running running(training); }),
            "training.micro_batch: 2, but a batch norm learns on the statistics of the whole batch "
            "of 8\n"
            "Leave micro_batch out, or keep batch norms on stored statistics (batch_norm: stored, "
            "and none in the head).");
}

TEST(Train, RefusesABudgetThatIsTooSmall) {
  const SmallTraining training = HeadOnly();
  Resources resources;
  resources.Put(training.source);
  resources.Put(training.config);
  resources.Put(training.MakeModel());
  BuildContext context{.upstream = {{8, 1280}, 0}, .resources = resources};
  Train stage(Train::Params{}, context);
  MemoryBudget budget(1000);
  OpenContext open{.budget = budget, .lever = 1};
  EXPECT_NE(CaughtError([&] { stage.Open(open); }).find("0 B of 1000 B are in use"),
            std::string::npos);
}

}  // namespace
}  // namespace weir
