// The list of steps that is planned and run: that it is sound, and that a run of it never holds
// more than it says.
#include "stages/train/training_steps.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "framework/shape.h"
#include "stages/model/backbones/mobilenet_v2.h"
#include "stages/train/head/head_operations.h"
#include "stages/train/micro_batch_run.h"
#include "stages/train/torch/torch_allocator.h"
#include "tests/stages/model/backbones/drawn_networks.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/head_layers.h"

namespace weir {
namespace {

struct Case {
  std::string name;
  std::shared_ptr<const Model> model;
};

Case MobileNet(const std::string& name, FrozenConfig frozen, BatchNormMode batch_norm,
               const Convention& convention = Convention::Keras()) {
  SmallTraining training(std::move(frozen), convention);
  training.input = {96, 96};
  training.source->config.backbone.batch_norm = batch_norm;
  return {name, training.MakeModel()};
}

Case WithHead(const std::string& name, Head head) {
  SmallTraining training({.kind = FrozenConfig::Kind::kThrough, .through = "block_15"});
  training.input = {96, 96};
  training.source->config.head = std::move(head);
  return {name, training.MakeModel()};
}

// A deep ResNet's kernels, which take more than its maps.
Case WideConvolutions() {
  std::vector<Operation> operations;
  const auto then = [&](auto kind) {
    const int input = static_cast<int>(operations.size()) - 1;
    const std::string name = "op_" + std::to_string(operations.size());
    operations.push_back({.name = name, .block = name, .input = input, .kind = kind});
  };
  then(Conv{.out_channels = 64, .kernel = 7, .stride = 2});
  then(Activate{});
  then(MaxPool{.kernel = 3, .stride = 2});
  for (const int channels : {256, 512, 512}) {
    then(Conv{.out_channels = channels, .kernel = 3, .stride = channels / 256});
    then(Activate{});
  }
  Network network(std::move(operations), {64, 64}, Convention::Torchvision());
  std::vector<LayerNames> names;
  for (const NetworkLayer& layer : network.layers()) {
    names.push_back(layer.has_weights() ? PyTorchLayer(layer.name, layer.name + ".norm")
                                        : LayerNames());
  }
  ModelConfig config;
  config.frozen = {.kind = FrozenConfig::Kind::kNone};
  config.head = {HeadAveragePooling(), HeadDenseOfClasses()};
  const auto classes = std::make_shared<const std::vector<std::string>>(3, "a");
  Backbone backbone(kMobileNetV2, 1, std::move(network), std::move(names));
  return {"wide convolutions", std::make_shared<Model>(config, std::move(backbone), classes, 1)};
}

std::vector<Case> Cases() {
  const FrozenConfig none{.kind = FrozenConfig::Kind::kNone};
  const FrozenConfig through{.kind = FrozenConfig::Kind::kThrough, .through = "block_12"};
  const FrozenConfig patterns{.kind = FrozenConfig::Kind::kPatterns,
                              .patterns = {"Conv1", "block_14_*", "block_2_*", "Conv_1"}};
  std::vector<Case> cases = {
      MobileNet("all learn", none, BatchNormMode::kStored),
      MobileNet("all learn, torchvision", none, BatchNormMode::kStored, Convention::Torchvision()),
      MobileNet("all learn on the batch", none, BatchNormMode::kTrain),
      MobileNet("the last blocks", through, BatchNormMode::kStored),
      MobileNet("the last blocks on the batch", through, BatchNormMode::kTrain),
      MobileNet("frozen in between", patterns, BatchNormMode::kStored),
      MobileNet("frozen in between on the batch", patterns, BatchNormMode::kTrain),
      WithHead("max pooling", {HeadMaxPooling(), HeadDenseOfClasses()}),
      WithHead("flatten", {HeadDropout(), HeadFlatten(), HeadDense(64, Activation::kRelu),
                           HeadDenseOfClasses()}),
      WithHead("batch norm",
               {HeadBatchNorm(), HeadAveragePooling(), HeadDropout(), HeadDenseOfClasses()})};
  cases.push_back(WideConvolutions());
  // Large enough that a map is more than what is allowed in passing.
  for (const DrawnNetwork& drawn : DrawnNetworks(Convention::Keras(), {193, 161})) {
    ModelConfig config;
    config.frozen = none;
    config.head = {HeadAveragePooling(), HeadDenseOfClasses()};
    const auto classes = std::make_shared<const std::vector<std::string>>(3, "a");
    cases.push_back({drawn.name, std::make_shared<Model>(config, drawn.backbone, classes, 1)});
  }
  return cases;
}

std::vector<TrainingSteps> ListsOf(const Model& model) {
  return {InferenceSteps(model), LearningSteps(model, Activations::kKept),
          LearningSteps(model, Activations::kRecomputed)};
}

TEST(TrainingSteps, NothingIsReadBeforeItIsWrittenOrAfterItIsFreed) {
  for (const Case& each : Cases()) {
    SCOPED_TRACE(each.name);
    for (const TrainingSteps& list : ListsOf(*each.model)) {
      std::vector<bool> is_there(list.arrays.size()), was_freed(list.arrays.size());
      is_there[0] = true;
      for (const TrainingStep& step : list.steps) {
        for (int array : step.reads) {
          EXPECT_TRUE(is_there[array]) << array;
          EXPECT_FALSE(was_freed[array] || was_freed[Owner(list.arrays, array)]) << array;
        }
        for (int array : step.writes) {
          EXPECT_FALSE(was_freed[array] || was_freed[Owner(list.arrays, array)]) << array;
          is_there[array] = true;
        }
        for (int array : step.frees) {
          EXPECT_FALSE(was_freed[array]) << array;
          was_freed[array] = true;
        }
      }
      for (std::size_t array = 1; array < list.arrays.size(); ++array) {
        const bool is_output =
            list.output >= 0 && Owner(list.arrays, array) == Owner(list.arrays, list.output);
        if (is_there[array] && Owner(list.arrays, array) != 0 && !is_output) {
          EXPECT_TRUE(was_freed[array]) << array;
        }
      }
    }
  }
}

struct Loaded {
  explicit Loaded(const Model& model) : arrays(Arrays(model)), backbone(model, arrays) {
    head = MakeHead(model, arrays);
    if (!backbone.empty()) backbone.Load(LivelyBackbone(model.network()));
    backbone.Fold();
  }
  static ParameterArrays Arrays(const Model& model) {
    ParameterArrays arrays;
    arrays.tables = DeclareParameters(model);
    const auto zeros = [](const ParameterTable& table) {
      return at::zeros({static_cast<std::int64_t>(table.values())}, at::kFloat);
    };
    arrays.values = zeros(arrays.tables.learning);
    arrays.statistics = zeros(arrays.tables.statistics).fill_(1);
    arrays.folded = zeros(arrays.tables.folded);
    return arrays;
  }

  ParameterArrays arrays;
  BackboneLayers backbone;
  std::vector<std::unique_ptr<HeadOperation>> head;
};

// What oneDNN and LibTorch take in passing in one step, which the plan has room for beside the
// list.
constexpr std::size_t kInPassing = std::size_t{512} << 10;

// What a run of the list holds at most, step by step against the plan of each.
std::size_t MostHeld(const TrainingSteps& list, const MicroBatchRun::Layers& layers,
                     const MicroBatch& micro_batch, const at::Tensor& features,
                     const MicroBatchRun::Learning& learning) {
  TorchAllocator& allocator = TorchAllocator::Install();
  const std::size_t before = allocator.usage().used_bytes;
  const std::vector<std::size_t> planned = list.BytesOf(micro_batch.size());
  std::size_t most = 0;
  {
    MicroBatchRun run(list, layers, micro_batch, features, list.output < 0 ? &learning : nullptr);
    for (std::size_t i = 0; i < list.steps.size(); ++i) {
      allocator.ResetPeak();
      run.Run(i);
      const std::size_t held = allocator.usage().peak_used_bytes - before;
      EXPECT_LE(held, planned[i] + kInPassing)
          << "step " << i << " of kind " << static_cast<int>(list.steps[i].kind);
      most = std::max(most, held);
    }
  }
  EXPECT_EQ(allocator.usage().used_bytes, before);
  return most;
}

// The plan of a dilated convolution is that of oneDNN's way without AVX-512, the larger one.
bool TakesLessOnSomeProcessors(const Model& model) {
  return std::ranges::any_of(model.network().layers(),
                             [](const NetworkLayer& layer) { return layer.dilation > 1; });
}

TEST(TrainingSteps, ARunNeverHoldsMoreThanItsListSays) {
  TorchAllocator::Install();
  UseOneTorchThread();
  const c10::InferenceMode inference;
  for (const Case& each : Cases()) {
    const Loaded loaded(*each.model);
    const MicroBatchRun::Layers layers{loaded.backbone, loaded.head};
    const at::Tensor gradients = at::zeros(loaded.arrays.values.sizes(), at::kFloat);
    for (const int samples : {1, 8}) {
      SCOPED_TRACE(each.name + ", " + std::to_string(samples) + " samples");
      const FeatureBatch batch = RandomFeatures(*each.model, samples);
      const MicroBatch micro_batch{
          .features = batch.values.data(), .samples = batch.samples, .batch_size = samples};
      const at::Tensor features = at::from_blob(const_cast<float*>(micro_batch.features),
                                                BatchShape(samples, batch.dims), at::kFloat);
      for (const TrainingSteps& list : ListsOf(*each.model)) {
        std::size_t most = 0;
        for (const auto mode : {GradientSink::Mode::kSet, GradientSink::Mode::kAdd}) {
          const GradientSink sink(gradients, mode);
          const auto loss = [](const at::Tensor& logits) { return logits.clone(); };
          most = std::max(most, MostHeld(list, layers, micro_batch, features, {loss, sink}));
        }
        const std::size_t planned = list.PeakBytes(samples);
        if (planned > kInPassing && !TakesLessOnSomeProcessors(*each.model)) {
          EXPECT_GE(most, 0.85 * planned);
        }
      }
    }
  }
}

}  // namespace
}  // namespace weir
