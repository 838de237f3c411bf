#include "stages/train/trainable_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "stages/features/onednn/onednn_prefix.h"
#include "stages/model/backbones/mobilenet_v2.h"
#include "stages/model/frozen_prefix.h"
#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/sgd.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/head_layers.h"

namespace weir {
namespace {

const Sgd::Params kPlainDescent{.learning_rate = 1};

// A model, one batch, and its loss and gradient as a user of the class sees them.
struct Learning {
  explicit Learning(const SmallTraining& training, int samples = 4)
      : model(training.MakeModel()),
        optimizer(kPlainDescent),
        trainable(*model, optimizer,
                  {.loss = std::make_shared<CrossEntropy>(CrossEntropy::Params{0.1})}),
        batch(RandomFeatures(*model, samples)) {
    trainable.Load([&] { return training.source->open_backbone(*model); }, {});
  }

  double Loss() {
    trainable.BeginBatch();
    std::vector<float> logits(batch.size() * model->classes().size());
    std::vector<double> losses(batch.size());
    trainable.Learn(
        {.features = batch.values.data(), .samples = batch.samples, .batch_size = batch.size()}, 0,
        logits, losses);
    trainable.AddGradients(1);
    return std::accumulate(losses.begin(), losses.end(), 0.0) / batch.size();
  }

  // By a step of plain descent, which is undone.
  std::vector<float> Gradient() {
    Loss();
    const std::vector<float> before(trainable.values().begin(), trainable.values().end());
    trainable.Step(1, 1);
    std::vector<float> gradient(before.size());
    for (std::size_t i = 0; i < before.size(); ++i) gradient[i] = before[i] - trainable.values()[i];
    std::copy(before.begin(), before.end(), trainable.values().begin());
    trainable.ValuesChanged();
    return gradient;
  }

  // The slope of the loss when the values of a parameter move along `direction`.
  double Slope(const Parameter& parameter, const std::vector<double>& direction, double width) {
    const std::span<float> values = trainable.values().subspan(parameter.offset, parameter.values);
    const std::vector<float> before(values.begin(), values.end());
    const auto loss_at = [&](double distance) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(before[i] + distance * direction[i]);
      }
      trainable.ValuesChanged();
      return Loss();
    };
    const double slope = (loss_at(width) - loss_at(-width)) / (2 * width);
    std::copy(before.begin(), before.end(), values.begin());
    trainable.ValuesChanged();
    return slope;
  }

  std::shared_ptr<Model> model;
  Sgd optimizer;
  TrainableModel trainable;
  FeatureBatch batch;
};

// Along the gradient itself, so that the slope is large beside float32's rounding; ReLU6 has kinks,
// which a distance may cross: hence 2 %.
void ExpectGradientsOfFiniteDifferences(const SmallTraining& training, bool may_vanish = false) {
  Learning learning(training);
  const std::vector<float> gradient = learning.Gradient();
  for (const Parameter& parameter : learning.trainable.tables().learning.all()) {
    std::vector<double> direction(gradient.begin() + parameter.offset,
                                  gradient.begin() + parameter.offset + parameter.values);
    const double length =
        std::sqrt(std::inner_product(direction.begin(), direction.end(), direction.begin(), 0.0));
    // In front of a batch norm on the batch's statistics a shift changes nothing.
    if (may_vanish && length < 1e-6) continue;
    ASSERT_GT(length, 1e-6) << parameter.name << " has no gradient";
    for (double& value : direction) value /= length;
    const double width = std::min(0.003, 0.0005 / length);
    EXPECT_NEAR(learning.Slope(parameter, direction, width) / length, 1, 0.02) << parameter.name;
  }
}

FrozenConfig Through(const std::string& layer) {
  return {.kind = FrozenConfig::Kind::kThrough, .through = layer};
}

TEST(TrainableModel, GradientsAreThoseOfFiniteDifferencesInKerasConvention) {
  ExpectGradientsOfFiniteDifferences(SmallTraining(Through("block_12")));
}

TEST(TrainableModel, GradientsAreThoseOfFiniteDifferencesInTorchvisionsConvention) {
  ExpectGradientsOfFiniteDifferences(SmallTraining(Through("block_12"), Convention::Torchvision()));
}

TEST(TrainableModel, GradientsAreThoseOfFiniteDifferencesOnTheStatisticsOfTheBatch) {
  SmallTraining training(Through("block_12"));
  training.input = {96, 96};
  training.source->config.backbone.batch_norm = BatchNormMode::kTrain;
  ExpectGradientsOfFiniteDifferences(training, true);
}

TEST(TrainableModel, GradientsPassThroughLayersThatAreFrozenInBetween) {
  ExpectGradientsOfFiniteDifferences(
      SmallTraining({.kind = FrozenConfig::Kind::kPatterns,
                     .patterns = {"Conv1", "expanded_conv_*", "block_?_*", "block_10_*",
                                  "block_11_*", "block_12_*", "block_14_*", "Conv_1"}}));
}

TEST(TrainableModel, GradientsOfEveryHeadLayerAreThoseOfFiniteDifferences) {
  SmallTraining training(Through("block_16"));
  training.input = {64, 64};  // a map of 2 x 2
  for (const Activation activation :
       {Activation::kRelu, Activation::kRelu6, Activation::kSigmoid, Activation::kTanh}) {
    training.source->config.head = {
        HeadDropout(0.3),         HeadMaxPooling(), HeadBatchNorm(),
        HeadDense(8, activation), HeadDropout(),    HeadDenseOfClasses(),
    };
    ExpectGradientsOfFiniteDifferences(training);
  }
  training.source->config.head = {HeadBatchNorm(), HeadFlatten(), HeadDenseOfClasses()};
  ExpectGradientsOfFiniteDifferences(training);
}

// With nothing frozen, features are preprocessed pixels; the head picks some pooled channels.
void ExpectThePrefixsFeatures(const Convention& convention) {
  SmallTraining training({.kind = FrozenConfig::Kind::kNone}, convention);
  training.input = {96, 64};
  training.source->config.head = {HeadAveragePooling(), HeadDenseOfClasses()};
  const auto model = training.MakeModel();
  const Sgd optimizer(kPlainDescent);
  TrainableModel trainable(*model, optimizer, {.training = false});
  trainable.Load([&] { return training.source->open_backbone(*model); },
                 [](const Model&, int, const HeadArray& array, const auto&) {
                   std::vector<float> picks(array.values());
                   if (array.name == "weight") {
                     for (int i = 0; i < 3; ++i) picks[i * 1280 + i * 500] = 1;
                   }
                   return picks;
                 });

  const std::size_t pixels = 96 * 64 * 3;
  std::vector<std::uint8_t> picture(pixels);
  std::vector<float> features(pixels);
  CounterRandom random(5, "picture");
  for (std::size_t i = 0; i < pixels; ++i) {
    picture[i] = static_cast<std::uint8_t>(random.Below(256));
    features[i] =
        picture[i] * convention.preprocessing.scale[i % 3] + convention.preprocessing.offset[i % 3];
  }
  const auto prefix = MakeOneDnnPrefix(model->network(), training.source->open_backbone(*model),
                                       {.last_layer = model->network().size() - 1,
                                        .pooling = Pooling::kAverage,
                                        .preprocessing = convention.preprocessing});
  std::vector<float> expected(prefix->output_values());
  prefix->Run(picture.data(), *prefix->MakeWorkspace(), expected.data());

  const std::vector<Sample> samples(1);
  std::vector<float> logits(3);
  trainable.Predict({.features = features.data(), .samples = samples}, logits);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(logits[i], expected[i * 500], 1e-4 * std::abs(expected[i * 500]) + 1e-4) << i;
  }
}

TEST(TrainableModel, UnfrozenItComputesWhatTheFrozenPrefixDoes) {
  ExpectThePrefixsFeatures(Convention::Keras());
  ExpectThePrefixsFeatures(Convention::Torchvision());
}

TEST(TrainableModel, DropsByEpochAndSampleWhateverIsBesideIt) {
  SmallTraining training({.kind = FrozenConfig::Kind::kAll});
  training.source->config.head.insert(training.source->config.head.begin() + 1, HeadDropout());
  Learning learning(training);
  // The logits of `samples`, whose features are all alike.
  const auto logits_of = [&](std::vector<Sample> samples, int epoch) {
    const std::vector<float> features(samples.size() * 1280, 1);
    std::vector<float> logits(samples.size() * 3);
    std::vector<double> losses(samples.size());
    learning.trainable.BeginBatch();
    learning.trainable.Learn({.features = features.data(),
                              .samples = samples,
                              .epoch = epoch,
                              .batch_size = static_cast<int>(samples.size())},
                             0, logits, losses);
    return logits;
  };
  const Sample first{.index = 1, .label = 0, .path = ""},
      second{.index = 2, .label = 0, .path = ""};
  const std::vector<float> alone = logits_of({first}, 0);
  const std::vector<float> together = logits_of({second, first}, 0);
  EXPECT_NE(together[0], together[3]);
  EXPECT_NE(logits_of({first}, 1), alone);
  // A product of two rows may add in another order than that of one.
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(together[3 + i], alone[i], 1e-5) << i;
}

// keras.layers.BatchNormalization's moving statistics after one batch, by its documented rule.
TEST(TrainableModel, RunningStatisticsFollowTheBatch) {
  SmallTraining training({.kind = FrozenConfig::Kind::kAll});
  training.source->config.head = {HeadAveragePooling(), HeadBatchNorm(0.9), HeadDenseOfClasses()};
  Learning learning(training, 8);
  learning.Loss();
  const Parameter& mean = learning.trainable.tables().statistics.at("head.1.running_mean");
  const Parameter& variance = learning.trainable.tables().statistics.at("head.1.running_var");
  double sum = 0, squares = 0;
  for (int n = 0; n < 8; ++n) sum += learning.batch.values.data()[n * 1280 + 5];
  for (int n = 0; n < 8; ++n) {
    squares += std::pow(learning.batch.values.data()[n * 1280 + 5] - sum / 8, 2);
  }
  EXPECT_NEAR(learning.trainable.statistics()[mean.offset + 5], 0.1 * sum / 8, 1e-6);
  EXPECT_NEAR(learning.trainable.statistics()[variance.offset + 5], 0.9 + 0.1 * squares / 8, 1e-6);
}

// With a device the spans are copies on the host; the device may be LibTorch's own processor.
TEST(TrainableModel, OnADeviceTheStateIsFetchedAndBroughtBack) {
  const SmallTraining training(Through("block_16"));
  const auto model = training.MakeModel();
  const Adam optimizer(Adam::Params{});
  TrainableModel trainable(*model, optimizer, {.torch_device = "cpu"});
  trainable.Load([&] { return training.source->open_backbone(*model); }, {});
  FeatureBatch batch = RandomFeatures(*model, 4);
  const MicroBatch micro_batch{
      .features = batch.values.data(), .samples = batch.samples, .batch_size = 4};
  std::vector<float> logits(4 * 3), again(4 * 3);
  std::vector<double> losses(4);
  const auto step = [&](int number) {
    trainable.BeginBatch();
    trainable.Learn(micro_batch, 0, logits, losses);
    trainable.AddGradients(1);
    trainable.Step(number, 0.01);
  };
  const auto copy = [](std::span<const float> run) {
    return std::vector<float>(run.begin(), run.end());
  };

  EXPECT_EQ(copy(trainable.values()), std::vector<float>(trainable.values().size()));
  trainable.FetchState();
  const std::vector<float> start = copy(trainable.values());
  const std::vector<float> statistics = copy(trainable.statistics());
  step(1);
  EXPECT_EQ(copy(trainable.values()), start);  // not fetched yet
  trainable.FetchState();
  const std::vector<float> learnt = copy(trainable.values());
  const std::vector<float> momentum = copy(trainable.slot(0)), velocity = copy(trainable.slot(1));
  EXPECT_NE(learnt, start);
  EXPECT_NE(momentum, std::vector<float>(momentum.size()));
  EXPECT_EQ(copy(trainable.statistics()), statistics);
  trainable.Predict(micro_batch, logits);

  step(2);
  std::copy(learnt.begin(), learnt.end(), trainable.values().begin());
  std::copy(momentum.begin(), momentum.end(), trainable.slot(0).begin());
  std::copy(velocity.begin(), velocity.end(), trainable.slot(1).begin());
  trainable.ValuesChanged();
  trainable.Predict(micro_batch, again);
  EXPECT_EQ(again, logits);  // folded anew, too
  trainable.FetchState();
  EXPECT_EQ(copy(trainable.slot(1)), velocity);
}

TEST(TrainableModel, ARehearsalLeavesNoTraceOnceItIsLoaded) {
  SmallTraining training(Through("block_14"));
  training.source->config.head.insert(training.source->config.head.begin() + 1, HeadBatchNorm());
  const auto model = training.MakeModel();
  const Adam optimizer(Adam::Params{});
  const auto loaded = [&](bool rehearse) {
    TrainableModel trainable(*model, optimizer, {.torch_device = "cpu"});
    if (rehearse) trainable.Rehearse(2, 8);
    trainable.Load([&] { return training.source->open_backbone(*model); }, {});
    trainable.FetchState();
    std::vector<float> state(trainable.values().begin(), trainable.values().end());
    for (std::span<float> run : {trainable.statistics(), trainable.slot(0), trainable.slot(1)}) {
      state.insert(state.end(), run.begin(), run.end());
    }
    return state;
  };
  EXPECT_EQ(loaded(true), loaded(false));
}

// Where nothing but a dense layer of the backbone learns, no batch norm is folded.
TEST(TrainableModel, LoadsADenseLayerOfTheBackboneThatLearnsAlone) {
  std::vector<Operation> operations;
  operations.push_back({.name = "conv", .block = "conv", .kind = Conv{.out_channels = 4}});
  operations.push_back({.name = "pool", .block = "pool", .input = 0, .kind = GlobalPool{}});
  operations.push_back({.name = "dense", .block = "dense", .input = 1, .kind = Dense{.units = 3}});
  Network network(std::move(operations), {8, 8}, Convention::Keras());
  const BackboneWeights weights = RandomBackbone(network, 1);
  std::vector<LayerNames> names(network.size());
  names.back().kernel = "dense.weight";
  names.back().beta = "dense.bias";
  ModelConfig config;
  config.frozen = {.kind = FrozenConfig::Kind::kPatterns, .patterns = {"conv", "pool"}};
  config.head = {HeadFlatten()};
  const Model model(config, Backbone(kMobileNetV2, 1, std::move(network), std::move(names)),
                    std::make_shared<const std::vector<std::string>>(3, "class"), 1);
  ASSERT_TRUE(model.learns(model.network().size() - 1));
  const Sgd optimizer(kPlainDescent);
  TrainableModel trainable(model, optimizer,
                           {.loss = std::make_shared<CrossEntropy>(CrossEntropy::Params{})});
  trainable.Load([&]() -> LayerReader { return weights; }, {});
  const Parameter& kernel = trainable.tables().learning.at("dense.weight");
  const auto values = trainable.values().subspan(kernel.offset, kernel.values);
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), weights.layers.back().kernel);
}

TEST(TrainableModel, StartsFromGlorotUniformAndZeroBiases) {
  SmallTraining training({.kind = FrozenConfig::Kind::kAll});
  training.source->config.head[1] = HeadDense(256, Activation::kTanh);
  Learning learning(training);
  const Parameter& weight = learning.trainable.tables().learning.at("head.1.weight");
  const Parameter& bias = learning.trainable.tables().learning.at("head.1.bias");
  const double limit = std::sqrt(6.0 / (1280 + 256));
  double squares = 0, most = 0;
  for (float value : learning.trainable.values().subspan(weight.offset, weight.values)) {
    squares += double{value} * value;
    most = std::max<double>(most, std::abs(value));
  }
  EXPECT_LE(most, limit);
  EXPECT_GT(most, 0.999 * limit);
  EXPECT_NEAR(squares / weight.values / (limit * limit / 3), 1, 0.01);
  for (float value : learning.trainable.values().subspan(bias.offset, bias.values)) {
    EXPECT_EQ(value, 0);
  }
}

}  // namespace
}  // namespace weir
