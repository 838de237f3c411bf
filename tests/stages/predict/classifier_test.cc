#include "stages/predict/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
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

using testing::HasSubstr;

const Model::ClassNames kClasses = std::make_shared<const std::vector<std::string>>(
    std::vector<std::string>{"ants", "bees", "wasps"});

// A saved model whose numbers are drawn.
struct Drawn {
  std::shared_ptr<const Model> model;
  ModelSource source;
};

Drawn Draw(Backbone backbone, Head head) {
  ModelConfig config;
  config.head = std::move(head);
  const auto model = std::make_shared<const Model>(config, std::move(backbone), kClasses, 1);
  ModelSource source;
  source.config = config;
  source.convention = model->network().convention();
  source.open_backbone = [](const Model& of) { return UnevenBackbone(of.network()); };
  source.load_head = [](const Model&, int layer, const HeadArray& array, const auto&) {
    return DrawnHeadArray(layer, array);
  };
  return {model, source};
}

std::vector<std::uint8_t> Picture(MapSize size, std::uint64_t index = 0) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * size.height * size.width);
  CounterRandom random(1, "picture", 0, index);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

std::vector<float> Classified(const Classifier& classifier, std::uint64_t index = 0) {
  const auto workspace = classifier.MakeWorkspace();
  std::vector<float> probabilities(classifier.output_values());
  classifier.Run(Picture(classifier.model().network().input(), index).data(), *workspace,
                 probabilities.data());
  return probabilities;
}

std::vector<double> Exactly(const Drawn& drawn) {
  const Network& network = drawn.model->network();
  const InferenceGraph graph(drawn.model, UnevenBackbone(network), DrawnHeadArray, {});
  const MapSize size = network.input();
  return InferExactly(graph, {{size.height, size.width, 3}, Fed(network, Picture(size)).values})
      .back()
      .values;
}

std::vector<Head> Heads() {
  return {{HeadAveragePooling(), HeadDense(16, Activation::kRelu),
           HeadDenseOfClasses(Activation::kSoftmax)},
          {HeadMaxPooling(), HeadDropout(), HeadDense(9, Activation::kRelu6), HeadDenseOfClasses()},
          {HeadBatchNorm(), HeadAveragePooling(), HeadBatchNorm(), HeadDense(5, Activation::kTanh),
           HeadDenseOfClasses(Activation::kSoftmax)},
          {HeadBatchNorm(), HeadMaxPooling(), HeadDenseOfClasses()},
          {HeadFlatten(), HeadBatchNorm(), HeadDense(3, Activation::kSigmoid),
           HeadDenseOfClasses(Activation::kSoftmax)}};
}

TEST(Classifier, ComputesWhatTheModelSays) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    const std::vector<Head> heads = Heads();
    for (std::size_t i = 0; i < heads.size(); ++i) {
      SCOPED_TRACE(i);
      const Drawn drawn = Draw(std::move(DrawnNetworks(convention).front().backbone), heads[i]);
      const std::vector<double> exact = Exactly(drawn);
      const Classifier classifier(drawn.source, drawn.model, Precision::kFloat32);
      const std::vector<float> probabilities = Classified(classifier);
      ASSERT_EQ(probabilities.size(), exact.size());
      for (std::size_t c = 0; c < exact.size(); ++c) {
        EXPECT_NEAR(probabilities[c], exact[c], 2e-5) << c;
      }
    }
  }
}

TEST(Classifier, GivesTheFeaturesThatTheHeadIsFed) {
  const Drawn drawn = Draw(MobileNetV2(0.35, {64, 64}, Convention::Keras()), Heads().front());
  const Classifier classifier(drawn.source, drawn.model, Precision::kFloat32);
  ASSERT_EQ(classifier.feature_values(), 1280U);
  const auto workspace = classifier.MakeWorkspace();
  std::vector<float> features(1280), probabilities(3);
  classifier.RunFeatures(Picture({64, 64}).data(), *workspace, features.data());
  const HeadRunner head(drawn.model, DrawnHeadArray);
  std::vector<float> scratch(head.workspace_values());
  head.Run(features.data(), scratch, probabilities);
  EXPECT_EQ(probabilities, Classified(classifier));
}

TEST(Classifier, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Drawn drawn = Draw(MobileNetV2(0.35, {64, 64}, Convention::Keras()), Heads().front());
  const Classifier classifier(drawn.source, drawn.model, Precision::kFloat32);
  constexpr std::uint64_t kPictures = 8;
  std::vector<std::vector<float>> alone, together(kPictures);
  for (std::uint64_t i = 0; i < kPictures; ++i) alone.push_back(Classified(classifier, i));
  EXPECT_NE(alone[0], alone[1]);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < kPictures; ++i) {
    threads.emplace_back([&, i] { together[i] = Classified(classifier, i); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(together, alone);
}

TEST(Classifier, SaysBeforehandWhatItHolds) {
  const Drawn drawn = Draw(MobileNetV2(0.35, {64, 64}, Convention::Keras()), Heads().front());
  const auto footprint = Classifier::FootprintOf(drawn.source, drawn.model, Precision::kFloat32);
  const Classifier classifier(drawn.source, drawn.model, Precision::kFloat32);
  EXPECT_EQ(footprint.weights_bytes, classifier.weights_bytes());
  EXPECT_EQ(footprint.workspace_bytes, classifier.workspace_bytes());
  const std::size_t head = sizeof(float) * (1280 * 16 + 16 + 16 * 3 + 3);
  EXPECT_GT(footprint.weights_bytes, head + drawn.model->network().size() * sizeof(float));
  EXPECT_GT(footprint.opening_bytes, 0U);
}

TEST(Classifier, RefusesInt8ThatWasNotMeasured) {
  const Drawn drawn = Draw(MobileNetV2(0.35, {64, 64}, Convention::Keras()), Heads().front());
  EXPECT_THAT(CaughtError([&] { Classifier(drawn.source, drawn.model, Precision::kInt8); }),
              HasSubstr("not measured when this model was trained"));
}

}  // namespace
}  // namespace weir
