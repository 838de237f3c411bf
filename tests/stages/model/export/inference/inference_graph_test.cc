#include "stages/model/export/inference/inference_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "framework/random.h"
#include "tests/stages/model/backbones/drawn_networks.h"
#include "tests/stages/model/export/inference/exact_inference.h"
#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

using inference::Operation;
using testing::ElementsAre;
using testing::HasSubstr;

const Model::ClassNames kClasses =
    std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"ants", "bees"});

Head UsualHead() { return {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)}; }

// Its backbone has random weights, drawn when they are read.
InferenceGraph GraphOf(Backbone backbone, Head head, bool keeps_batch_norms = false,
                       FrozenConfig frozen = {}) {
  ModelConfig config;
  config.head = std::move(head);
  config.frozen = std::move(frozen);
  const auto model = std::make_shared<const Model>(config, std::move(backbone), kClasses, 1);
  return InferenceGraph(model, RandomLayers(model->network(), 5), DrawnHeadArray,
                        {.keeps_batch_norms = keeps_batch_norms});
}

// The same with batch norms that are not the identity.
InferenceGraph UnevenGraphOf(const Backbone& backbone, const Head& head, bool keeps_batch_norms) {
  ModelConfig config;
  config.head = head;
  const auto model = std::make_shared<const Model>(config, backbone, kClasses, 1);
  return InferenceGraph(model, UnevenBackbone(model->network()), DrawnHeadArray,
                        {.keeps_batch_norms = keeps_batch_norms});
}

std::vector<std::uint8_t> Picture(MapSize size) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * size.height * size.width);
  CounterRandom random(1, "picture");
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

// What each of its operations makes of a drawn picture.
std::vector<ExactValue> Computed(const InferenceGraph& graph) {
  const Network& network = graph.model().network();
  const MapSize size = network.input();
  return InferExactly(graph, {{size.height, size.width, 3}, Fed(network, Picture(size)).values});
}

void ExpectNear(const std::vector<double>& values, const std::vector<double>& exact) {
  ASSERT_EQ(values.size(), exact.size());
  double largest = 0;
  for (const double value : exact) largest = std::max(largest, std::abs(value));
  ASSERT_GT(largest, 0);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    // Folded constants are rounded to float32.
    ASSERT_NEAR(values[i], exact[i], 2e-6 * largest) << i;
  }
}

std::vector<std::string> Kinds(const InferenceGraph& graph, std::size_t from = 0) {
  std::vector<std::string> kinds;
  for (std::size_t i = from; i < graph.operations().size(); ++i) {
    const inference::Kind& kind = graph.operations()[i].kind;
    const auto* activation = std::get_if<inference::Activation>(&kind);
    kinds.emplace_back(activation ? Name(activation->function) : Name(kind));
  }
  return kinds;
}

// Those of the head behind a backbone of a few operations.
std::vector<std::string> HeadKinds(const Head& head, bool keeps_batch_norms = false) {
  DrawnNetwork drawn = std::move(DrawnNetworks(Convention::Keras()).front());
  const std::size_t norms = keeps_batch_norms ? 4 : 0;  // one for each convolution
  const std::size_t backbone = drawn.network().operations().size() + norms;
  return Kinds(GraphOf(std::move(drawn.backbone), head, keeps_batch_norms), backbone);
}

std::map<std::string, int> Counts(const InferenceGraph& graph) {
  std::map<std::string, int> counts;
  for (const std::string& kind : Kinds(graph)) ++counts[kind];
  return counts;
}

const Operation& Find(const InferenceGraph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.operations(), name, &Operation::name);
  if (found == graph.operations().end()) throw std::runtime_error("no operation " + name);
  return *found;
}

TEST(InferenceGraph, ComputesWhatTheNetworkSaysFoldedOrNot) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const DrawnNetwork& drawn : DrawnNetworks(convention)) {
      SCOPED_TRACE(drawn.name);
      const std::vector<double> exact =
          RunExactly(drawn.network(), UnevenBackbone(drawn.network()),
                     Fed(drawn.network(), Picture(drawn.network().input())))
              .values;
      for (const bool keeps : {false, true}) {
        const InferenceGraph graph = UnevenGraphOf(drawn.backbone, UsualHead(), keeps);
        const std::size_t behind = 4;  // the head: pool, flatten, dense, softmax
        ExpectNear(Computed(graph)[graph.operations().size() - behind - 1].values, exact);
      }
    }
  }
}

TEST(InferenceGraph, FoldsTheHeadsBatchNormsWithoutChangingWhatItGives) {
  const Head heads[] = {
      {HeadBatchNorm(), HeadMaxPooling(), HeadBatchNorm(), HeadDropout(),
       HeadDense(5, Activation::kTanh), HeadDropout(), HeadBatchNorm(), HeadDenseOfClasses()},
      {HeadFlatten(), HeadBatchNorm(), HeadBatchNorm(), HeadDense(3, Activation::kSigmoid),
       HeadDenseOfClasses(Activation::kSoftmax)}};
  for (const Head& head : heads) {
    const DrawnNetwork drawn = DrawnNetworks(Convention::Keras()).front();
    const InferenceGraph folded = UnevenGraphOf(drawn.backbone, head, false);
    const InferenceGraph kept = UnevenGraphOf(drawn.backbone, head, true);
    const std::vector<double> probabilities = Computed(kept).back().values;
    EXPECT_NEAR(probabilities[0] + probabilities[1], 1, 1e-12);
    ExpectNear(Computed(folded).back().values, probabilities);
  }
}

TEST(InferenceGraph, HasAnOperationForEachThatTheHeadComputes) {
  EXPECT_THAT(HeadKinds(UsualHead()), ElementsAre("global pool", "flatten", "dense", "softmax"));
  EXPECT_THAT(HeadKinds({HeadMaxPooling(), HeadDropout(), HeadDense(4, Activation::kRelu6),
                         HeadDenseOfClasses()}),
              ElementsAre("global pool", "flatten", "dense", "relu6", "dense", "softmax"))
      << "logits get their softmax";
  EXPECT_THAT(HeadKinds({HeadFlatten(), HeadFlatten(), HeadDense(4, Activation::kTanh),
                         HeadDense(4, Activation::kRelu), HeadDenseOfClasses()}),
              ElementsAre("flatten", "dense", "tanh", "dense", "relu", "dense", "softmax"));
  const Head with_norms = {HeadBatchNorm(), HeadAveragePooling(), HeadBatchNorm(), HeadDropout(),
                           HeadDenseOfClasses()};
  EXPECT_THAT(HeadKinds(with_norms),
              ElementsAre("affine", "global pool", "flatten", "dense", "softmax"))
      << "there is nobody behind a map to fold it into";
  EXPECT_THAT(HeadKinds(with_norms, true), ElementsAre("batch norm", "global pool", "flatten",
                                                       "batch norm", "dense", "softmax"));
}

TEST(InferenceGraph, HasTheOperationsOfEachWidthAndSizeOfMobileNetV2) {
  for (const double width : {0.35, 1.0, 1.4}) {
    const InferenceGraph graph =
        GraphOf(MobileNetV2(width, {96, 160}, Convention::Keras()), UsualHead());
    const std::map<std::string, int> counts = Counts(graph);
    EXPECT_EQ(counts, (std::map<std::string, int>{{"convolution", 52},
                                                  {"relu6", 35},
                                                  {"sum", 10},
                                                  {"global pool", 1},
                                                  {"flatten", 1},
                                                  {"dense", 1},
                                                  {"softmax", 1}}));
    const std::int64_t channels = graph.model().network().out_channels();
    EXPECT_EQ(channels, width > 1 ? 1792 : 1280);
    EXPECT_EQ(Find(graph, "out_relu").output, (Shape{3, 5, channels}));
    EXPECT_EQ(Find(graph, "head.1").constants[0].shape, (Shape{2, channels}));
    EXPECT_EQ(graph.operations().back().name, "probabilities");
    EXPECT_EQ(graph.operations().back().output, Shape{2});
  }
}

TEST(InferenceGraph, PadsAsTheConventionSays) {
  const std::pair<Convention, Pads> conventions[] = {{Convention::Keras(), {0, 0, 1, 1}},
                                                     {Convention::Torchvision(), {1, 1, 1, 1}}};
  for (const auto& [convention, pads] : conventions) {
    const InferenceGraph graph = GraphOf(MobileNetV2(0.35, {64, 64}, convention), UsualHead());
    const auto convolution = [&graph](const char* name) {
      return std::get<inference::Convolution>(Find(graph, name).kind);
    };
    EXPECT_EQ(convolution("Conv1").pads, pads);
    EXPECT_EQ(convolution("Conv1").stride, 2);
    EXPECT_EQ(convolution("block_2_depthwise").pads, (Pads{1, 1, 1, 1}));
    EXPECT_EQ(convolution("block_2_depthwise").groups,
              Find(graph, "block_2_depthwise").output.back());
    EXPECT_EQ(convolution("block_2_expand").pads, Pads{});
  }
}

TEST(InferenceGraph, CallsWhatItTakesByTheNamesOfTheFileAndNoTwoAlike) {
  for (const bool keeps : {false, true}) {
    const InferenceGraph graph = GraphOf(
        MobileNetV2(0.35, {32, 32}, Convention::Keras()),
        {HeadBatchNorm(), HeadAveragePooling(), HeadBatchNorm(), HeadDenseOfClasses()}, keeps);
    std::set<std::string> names;
    for (std::size_t i = 0; i < graph.operations().size(); ++i) {
      const Operation& operation = graph.operations()[i];
      EXPECT_TRUE(names.insert(operation.name).second) << operation.name;
      const ConstantValues values = graph.ReadConstants(static_cast<int>(i));
      ASSERT_EQ(values.size(), operation.constants.size()) << operation.name;
      for (std::size_t c = 0; c < values.size(); ++c) {
        const inference::Constant& constant = operation.constants[c];
        EXPECT_TRUE(names.insert(constant.name).second) << constant.name;
        EXPECT_EQ(values[c].size(), ValuesIn(constant.shape)) << constant.name;
      }
      for (const int input : operation.inputs) EXPECT_LT(input, static_cast<int>(i));
    }
    EXPECT_TRUE(names.contains("features.2.conv.0.0.weight"));
    EXPECT_EQ(names.contains("features.2.conv.0.1.running_var"), keeps);
    EXPECT_EQ(names.contains("features.2.conv.0.0.bias"), !keeps);
  }
}

TEST(InferenceGraph, IsTheSameWhateverLearnt) {
  const Backbone backbone = MobileNetV2(0.35, {32, 32}, Convention::Torchvision());
  const InferenceGraph frozen = GraphOf(backbone, UsualHead());
  for (const FrozenConfig& learning :
       {FrozenConfig{.kind = FrozenConfig::Kind::kNone},
        FrozenConfig{.kind = FrozenConfig::Kind::kThrough, .through = "block_12"}}) {
    const InferenceGraph graph = GraphOf(backbone, UsualHead(), false, learning);
    EXPECT_EQ(Kinds(graph), Kinds(frozen));
    EXPECT_EQ(graph.ReadConstants(30), frozen.ReadConstants(30));
  }
}

TEST(InferenceGraph, RefusesAHeadThatIsNoClassifiers) {
  const DrawnNetwork drawn = DrawnNetworks(Convention::Keras()).front();
  EXPECT_THAT(CaughtError([&] { GraphOf(drawn.backbone, {HeadFlatten()}); }),
              HasSubstr("it ends with flatten, which gives no value a class"));
}

}  // namespace
}  // namespace weir
