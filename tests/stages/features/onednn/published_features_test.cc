// The frozen prefixes against what Keras and torchvision compute from the same pictures and
// weights.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "framework/error.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/backbones/load_backbone.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/shared_data.h"
#include "tests/support/torch_prefix.h"

namespace weir {
namespace {

constexpr std::size_t kPictureBytes = 224 * 224 * 3;
constexpr const char* kWeights = "weights/mobilenet_v2_imagenet.pth";
constexpr const char* kKeras = "reference/mobilenet_v2_keras.safetensors";
constexpr const char* kTorchvision = "reference/mobilenet_v2_torchvision.safetensors";

std::vector<float> ReadTensor(const std::string& file, const std::string& name) {
  const auto reader = WeightsFile::Open(*SharedData(file));
  for (const TensorInfo& tensor : reader->tensors()) {
    if (tensor.name != name) continue;
    std::vector<float> values(tensor.values());
    reader->Read(tensor, values);
    return values;
  }
  ADD_FAILURE() << file << " has no " << name;
  return {};
}

std::vector<std::uint8_t> ReferencePictures(const std::string& file) {
  const std::vector<float> values = ReadTensor(file, "images_u8_nhwc");
  return {values.begin(), values.end()};
}

double LargestDifference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference = std::max<double>(difference, std::abs(a[i] - b[i]));
  }
  return difference;
}

using MakePrefix = decltype(&MakeOneDnnPrefix);

double Cosine(std::span<const float> a, std::span<const float> b) {
  const auto dot = [](auto x, auto y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

class PublishedFeatures : public testing::TestWithParam<MakePrefix> {
 protected:
  void SetUp() override {
    omp_set_num_threads(1);
    if (!SharedData(kWeights) || !SharedData(kKeras)) GTEST_SKIP() << kNoSharedData;
  }

  // What the prefix makes of the first `count` pictures of the reference. The shared weights' batch
  // norms are folded with torchvision's epsilon and both references are fed x/127.5 - 1.
  std::vector<float> Features(Padding padding, const std::string& layer, Pooling pooling,
                              int count) {
    const Backbone model =
        MobileNetV2(1.0, {224, 224}, {.padding = padding, .batch_norm_epsilon = 1e-5f});
    const auto prefix =
        GetParam()(model.network(), ReadBackbone(WeightsFile::Open(*SharedData(kWeights)), model),
                   {.last_layer = model.Find(layer), .pooling = pooling});
    const std::vector<std::uint8_t> pixels =
        ReferencePictures(padding == Padding::kSame ? kKeras : kTorchvision);
    const auto workspace = prefix->MakeWorkspace();
    std::vector<float> features(count * prefix->output_values());
    for (int i = 0; i < count; ++i) {
      prefix->Run(&pixels.at(i * kPictureBytes), *workspace,
                  &features.at(i * prefix->output_values()));
    }
    return features;
  }
};

// Features reach 6, and differ by about 1e-5; under the other convention's padding they differ by
// more than 1.
TEST_P(PublishedFeatures, AreThoseOfKeras) {
  EXPECT_LT(LargestDifference(Features(Padding::kSame, "out_relu", Pooling::kAverage, 8),
                              ReadTensor(kKeras, "features_nhwc_gap")),
            1e-4);
  EXPECT_LT(LargestDifference(Features(Padding::kSame, "out_relu", Pooling::kNone, 2),
                              ReadTensor(kKeras, "features_nhwc")),
            1e-3);
  EXPECT_LT(LargestDifference(Features(Padding::kSame, "block_13_expand_relu", Pooling::kNone, 1),
                              ReadTensor(kKeras, "block_13_expand_relu_nhwc")),
            1e-3);
}

TEST_P(PublishedFeatures, AreThoseOfTorchvision) {
  EXPECT_LT(LargestDifference(Features(Padding::kSymmetric, "out_relu", Pooling::kAverage, 8),
                              ReadTensor(kTorchvision, "features_gap")),
            1e-4);
}

TEST_P(PublishedFeatures, DependOnTheConvention) {
  EXPECT_GT(LargestDifference(Features(Padding::kSymmetric, "out_relu", Pooling::kAverage, 8),
                              ReadTensor(kKeras, "features_nhwc_gap")),
            1);
}

TEST_P(PublishedFeatures, GiveTheClassesOfBothPeers) {
  const std::vector<float> kernel = ReadTensor(kWeights, "classifier.1.weight");
  const std::vector<float> bias = ReadTensor(kWeights, "classifier.1.bias");
  const std::size_t classes = bias.size();
  ASSERT_EQ(classes, 1000u);
  for (const Padding padding : {Padding::kSame, Padding::kSymmetric}) {
    const std::vector<float> features = Features(padding, "out_relu", Pooling::kAverage, 8);
    std::vector<float> probabilities;
    for (int picture = 0; picture < 8; ++picture) {
      const float* from = &features[picture * 1280];
      std::vector<double> exponentials(classes);
      for (std::size_t i = 0; i < classes; ++i) {
        exponentials[i] =
            std::exp(std::inner_product(from, from + 1280, &kernel[i * 1280], double{bias[i]}));
      }
      const double sum = std::accumulate(exponentials.begin(), exponentials.end(), 0.0);
      for (double value : exponentials) probabilities.push_back(static_cast<float>(value / sum));
    }
    EXPECT_LT(LargestDifference(probabilities, padding == Padding::kSame
                                                   ? ReadTensor(kKeras, "logits_softmax")
                                                   : ReadTensor(kTorchvision, "softmax")),
              1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Prefixes, PublishedFeatures,
                         testing::Values(&MakeOneDnnPrefix, &MakeTorchPrefix),
                         [](const auto& info) {
                           return info.param == &MakeOneDnnPrefix ? "OneDnn" : "LibTorch";
                         });

// Two pictures are compared, and the maps were measured on six others.
TEST(PublishedFeaturesInInt8, PointTheWayOfKeras) {
  if (!SharedData(kWeights) || !SharedData(kKeras)) GTEST_SKIP() << kNoSharedData;
  const Backbone backbone =
      MobileNetV2(1.0, {224, 224}, {.padding = Padding::kSame, .batch_norm_epsilon = 1e-5f});
  const Network& model = backbone.network();
  const auto weights = ReadBackbone(WeightsFile::Open(*SharedData(kWeights)), backbone);
  const std::vector<std::uint8_t> pixels = ReferencePictures(kKeras);
  const auto run = [&](const FrozenPrefix& prefix, int picture) {
    std::vector<float> features(prefix.output_values());
    prefix.Run(&pixels.at(picture * kPictureBytes), *prefix.MakeWorkspace(), features.data());
    return features;
  };
  MapMeter meter(model);
  PrefixOptions options{.last_layer = 51, .pooling = Pooling::kAverage, .watch = meter.Watcher()};
  const auto exact = MakeOneDnnPrefix(model, weights, options);
  for (int picture = 0; picture < 6; ++picture) run(*exact, picture);

  options = {.last_layer = 51,
             .pooling = Pooling::kAverage,
             .precision = Precision::kInt8,
             .maps = std::make_shared<const std::vector<MapStatistics>>(meter.Finish())};
  std::unique_ptr<FrozenPrefix> prefix;
  try {
    prefix = MakeOneDnnPrefix(model, weights, options);
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const std::vector<float> keras = ReadTensor(kKeras, "features_nhwc_gap");
  for (const int picture : {6, 7}) {
    EXPECT_GT(Cosine(run(*prefix, picture), std::span(keras).subspan(picture * 1280, 1280)), 0.993);
  }
}

}  // namespace
}  // namespace weir
