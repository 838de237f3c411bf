// Every reader of a Network computes what the operations say, or says in words what it does not
// know: the oneDNN prefix, LibTorch's reference, the layers that learn and the device's network.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/random.h"
#include "stages/device/cuda/folded_network.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/train/backbone/backbone_layers.h"
#include "stages/train/head/head_operations.h"
#include "stages/train/micro_batch_run.h"
#include "stages/train/torch/torch_allocator.h"
#include "stages/train/training_steps.h"
#include "tests/stages/model/backbones/drawn_networks.h"
#include "tests/support/head_layers.h"
#include "tests/support/torch_prefix.h"

namespace weir {
namespace {

constexpr double kFloat32 = 2e-5, kBfloat16 = 0.05, kInt8 = 0.06;  // parts of the largest value

std::vector<std::uint8_t> Picture(const Network& network, std::uint64_t seed = 1) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * network.input().height * network.input().width);
  CounterRandom random(seed, "picture");
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

double Difference(const std::vector<float>& values, const std::vector<double>& exact) {
  EXPECT_EQ(values.size(), exact.size());
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (!std::isfinite(values[i])) return INFINITY;
    difference = std::max(difference, std::abs(values[i] - exact[i]));
    largest = std::max(largest, std::abs(exact[i]));
  }
  EXPECT_GT(largest, 0);
  return difference / largest;
}

using Reader = std::function<std::vector<float>(const DrawnNetwork&, const BackboneWeights&)>;

std::vector<float> RunPrefix(const FrozenPrefix& prefix, const std::vector<std::uint8_t>& pixels) {
  std::vector<float> features(prefix.output_values());
  prefix.Run(pixels.data(), *prefix.MakeWorkspace(), features.data());
  return features;
}

PrefixOptions All(const Network& network) {
  return {.last_layer = network.size() - 1, .preprocessing = network.convention().preprocessing};
}

std::vector<float> ByTorch(const DrawnNetwork& drawn, const BackboneWeights& weights) {
  const Network& network = drawn.network();
  return RunPrefix(*MakeTorchPrefix(network, weights, All(network)), Picture(network));
}

Reader ByOneDnn(Precision precision) {
  return [precision](const DrawnNetwork& drawn, const BackboneWeights& weights) {
    const Network& network = drawn.network();
    PrefixOptions options = All(network);
    options.precision = precision;
    if (precision == Precision::kInt8) {
      MapMeter meter(network);
      PrefixOptions measuring = All(network);
      measuring.watch = meter.Watcher();
      const auto exact = MakeOneDnnPrefix(network, weights, measuring);
      for (std::uint64_t seed = 1; seed <= 4; ++seed) RunPrefix(*exact, Picture(network, seed));
      options.maps = std::make_shared<const std::vector<MapStatistics>>(meter.Finish());
    }
    return RunPrefix(*MakeOneDnnPrefix(network, weights, options), Picture(network));
  };
}

Reader ByDevice(Precision precision) {
  return [precision](const DrawnNetwork& drawn, const BackboneWeights& weights) {
    const c10::InferenceMode inference;
    const Network& network = drawn.network();
    const FoldedNetwork folded(network, weights, network.size() - 1, precision, at::kCPU);
    const ExactMap picture = Fed(network, Picture(network));
    std::vector<float> fed(picture.values.begin(), picture.values.end());
    const at::Tensor map = at::from_blob(
        fed.data(), {1, network.input().height, network.input().width, 3}, at::kFloat);
    const at::Tensor out = folded.Run(map.to(folded.type())).to(at::kFloat);
    return std::vector<float>(out.const_data_ptr<float>(),
                              out.const_data_ptr<float>() + out.numel());
  };
}

// All layers behind an empty prefix, learning on stored statistics; the logits are the values of
// the last map.
class Learning {
 public:
  // All learn but the layer `frozen`, where one is named, which is not the first.
  Learning(const DrawnNetwork& drawn, const BackboneWeights& weights,
           const std::string& frozen = "")
      : model_(Declaration(frozen), drawn.backbone, {}, 1) {
    TorchAllocator::Install();
    const c10::InferenceMode inference;
    arrays_.tables = DeclareParameters(model_);
    arrays_.values = at::zeros({Values(arrays_.tables.learning)}, at::kFloat);
    arrays_.statistics = at::zeros({Values(arrays_.tables.statistics)}, at::kFloat);
    arrays_.folded = at::zeros({Values(arrays_.tables.folded)}, at::kFloat);
    backbone_ = std::make_unique<BackboneLayers>(model_, arrays_);
    head_ = MakeHead(model_, arrays_);
    backbone_->Load(weights);
    backbone_->Fold();
    const ExactMap picture = Fed(drawn.network(), Picture(drawn.network()));
    const std::vector<float> fed(picture.values.begin(), picture.values.end());
    features_ = at::from_blob(const_cast<float*>(fed.data()),
                              {1, picture.size.height, picture.size.width, 3}, at::kFloat)
                    .clone();
  }

  std::vector<float> Forward() const {
    const c10::InferenceMode inference;
    return Floats(
        MicroBatchRun(InferenceSteps(model_), layers(), micro_batch_, features_).RunAll());
  }

  // The gradients of the sum of the output times `factors`, by the name of each parameter.
  std::map<std::string, std::vector<float>> Gradients(std::vector<float> factors,
                                                      Activations activations) const {
    const c10::InferenceMode inference;
    const at::Tensor run = at::zeros(arrays_.values.sizes(), at::kFloat);
    const auto loss = [&](const at::Tensor& logits) {
      return at::from_blob(factors.data(), logits.sizes(), at::kFloat).clone();
    };
    const GradientSink sink(run, GradientSink::Mode::kSet);
    const MicroBatchRun::Learning learning{loss, sink};
    const TrainingSteps steps = LearningSteps(model_, activations);
    MicroBatchRun(steps, layers(), micro_batch_, features_, &learning).RunAll();
    backbone_->Unfold(run);
    std::map<std::string, std::vector<float>> gradients;
    for (const Parameter& parameter : arrays_.tables.learning.all()) {
      gradients[parameter.name] = Floats(View(run, parameter).contiguous());
    }
    return gradients;
  }

 private:
  static ModelConfig Declaration(const std::string& frozen) {
    ModelConfig config;
    config.frozen.kind = FrozenConfig::Kind::kNone;
    if (!frozen.empty()) {
      config.frozen = {.kind = FrozenConfig::Kind::kPatterns, .patterns = {frozen}};
    }
    config.head = {HeadFlatten()};
    return config;
  }
  static std::int64_t Values(const ParameterTable& table) {
    return static_cast<std::int64_t>(table.values());
  }
  static std::vector<float> Floats(const at::Tensor& map) {
    return {map.const_data_ptr<float>(), map.const_data_ptr<float>() + map.numel()};
  }
  MicroBatchRun::Layers layers() const { return {*backbone_, head_}; }

  Model model_;
  ParameterArrays arrays_;
  std::unique_ptr<BackboneLayers> backbone_;
  std::vector<std::unique_ptr<HeadOperation>> head_;
  MicroBatch micro_batch_;
  at::Tensor features_;
};

std::vector<float> ByLearning(const DrawnNetwork& drawn, const BackboneWeights& weights) {
  return Learning(drawn, weights).Forward();
}

struct Contract {
  const char* reader;
  Reader run;
  double tolerance;
  // What it does not know, by network: a part of its words.
  std::map<std::string, std::string> refusals{};
};

std::vector<Contract> Contracts() {
  const std::map<std::string, std::string> onednn = {
      {"activate, then add", "cannot run op_4: it is no convolution but a sum of two maps"},
      {"a scale", "cannot run op_2: it is no convolution but a global pooling"},
      {"a max pool", "cannot run op_2: it is no convolution but a max pooling"}};
  std::map<std::string, std::string> int8 = onednn;
  int8["add, then activate"] = "precision: int8 adds maps without activations";
  int8["a branch"] = "precision: int8 adds maps without activations";
  int8["segments"] = "ends in hard_swish";
  for (const char* name : {"hard_sigmoid", "hard_swish", "sigmoid", "silu"}) {
    int8[name] = std::string("ends in ") + name;
  }
  return {{"LibTorch's reference", ByTorch, kFloat32},
          {"oneDNN, float32", ByOneDnn(Precision::kFloat32), kFloat32, onednn},
          {"oneDNN, bfloat16", ByOneDnn(Precision::kBfloat16), kBfloat16, onednn},
          {"oneDNN, int8", ByOneDnn(Precision::kInt8), kInt8, int8},
          {"the device's network, float32", ByDevice(Precision::kFloat32), kFloat32},
          {"the device's network, bfloat16", ByDevice(Precision::kBfloat16), kBfloat16},
          {"the layers that learn", ByLearning, kFloat32}};
}

bool IsMissingHere(const std::string& words) {
  return words.find("instructions; this one has") != std::string::npos;
}

TEST(NetworkContract, EveryReaderComputesWhatTheOperationsSayOrRefuses) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const DrawnNetwork& drawn : DrawnNetworks(convention)) {
      const BackboneWeights weights = UnevenBackbone(drawn.network());
      const std::vector<double> exact =
          RunExactly(drawn.network(), weights, Fed(drawn.network(), Picture(drawn.network())))
              .values;
      for (const Contract& contract : Contracts()) {
        SCOPED_TRACE(drawn.name + " by " + contract.reader);
        const auto refusal = contract.refusals.find(drawn.name);
        try {
          EXPECT_LT(Difference(contract.run(drawn, weights), exact), contract.tolerance);
          EXPECT_EQ(refusal, contract.refusals.end()) << "it was to be refused";
        } catch (const Error& error) {
          if (IsMissingHere(error.what())) continue;  // this CPU has no bfloat16 or no VNNI
          ASSERT_NE(refusal, contract.refusals.end()) << error.what();
          EXPECT_NE(std::string(error.what()).find(refusal->second), std::string::npos)
              << error.what();
        }
      }
    }
  }
}

// Those of `some` are among `all`, but for the rounding of a batch norm that is folded.
void ExpectTheSame(const std::map<std::string, std::vector<float>>& some,
                   const std::map<std::string, std::vector<float>>& all) {
  EXPECT_FALSE(some.empty());
  EXPECT_LT(some.size(), all.size());
  for (const auto& [name, gradient] : some) {
    const std::vector<float>& whole = all.at(name);
    EXPECT_LT(Difference(gradient, {whole.begin(), whole.end()}), 1e-4) << name;
  }
}

// Central differences of the definition in double, along a drawn direction for each parameter.
TEST(NetworkContract, TheLayersThatLearnHaveTheGradientsOfTheOperations) {
  int checked = 0;
  for (const DrawnNetwork& drawn : DrawnNetworks(Convention::Keras())) {
    const BackboneWeights weights = UnevenBackbone(drawn.network());
    const Learning learning(drawn, weights);
    SCOPED_TRACE(drawn.name);
    const ExactMap picture = Fed(drawn.network(), Picture(drawn.network()));
    std::vector<float> factors(RunExactly(drawn.network(), weights, picture).values.size());
    CounterRandom random(2, "factors");
    for (float& factor : factors) factor = static_cast<float>(random.Uniform(-1, 1));
    const auto loss = [&](const BackboneWeights& at) {
      const std::vector<double> output = RunExactly(drawn.network(), at, picture).values;
      double sum = 0;
      for (std::size_t i = 0; i < output.size(); ++i) sum += output[i] * factors[i];
      return sum;
    };
    const auto gradients = learning.Gradients(factors, Activations::kKept);
    EXPECT_EQ(gradients, learning.Gradients(factors, Activations::kRecomputed));
    for (int layer = 1; layer < drawn.network().size(); ++layer) {
      if (!drawn.network().layers()[layer].has_weights()) continue;
      const std::string& name = drawn.network().layers()[layer].name;
      SCOPED_TRACE("without " + name);
      const Learning others(drawn, weights, name);
      for (const Activations activations : {Activations::kKept, Activations::kRecomputed}) {
        ExpectTheSame(others.Gradients(factors, activations), gradients);
      }
    }
    for (int layer = 0; layer < drawn.network().size(); ++layer) {
      const LayerNames& names = drawn.backbone.names(layer);
      const std::pair<std::string, std::vector<float> ConvWeights::*> parameters[] = {
          {names.kernel, &ConvWeights::kernel},
          {names.gamma, &ConvWeights::gamma},
          {names.beta, &ConvWeights::beta}};
      for (const auto& [name, member] : parameters) {
        if (name.empty()) continue;
        const std::vector<float>& gradient = gradients.at(name);
        double length = 0;
        for (const float value : gradient) length += double{value} * value;
        length = std::sqrt(length);
        ASSERT_GT(length, 0) << name;
        constexpr double kStep = 1e-4;
        BackboneWeights ahead = weights, behind = weights;
        double moved = 0;  // along the gradient, after rounding to float32
        for (std::size_t i = 0; i < gradient.size(); ++i) {
          const auto step = static_cast<float>(kStep * gradient[i] / length);
          float& before = (behind.layers[layer].*member)[i];
          float& after = (ahead.layers[layer].*member)[i];
          after += step;
          before -= step;
          moved += (double{after} - before) * gradient[i];
        }
        // Kinks of ReLUs that a step crosses and float32's rounding.
        EXPECT_NEAR((loss(ahead) - loss(behind)) / moved, 1, 0.01) << name;
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, 60);
}

}  // namespace
}  // namespace weir
