// From a file to a class, with the shared ImageNet weights and their own classifier.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "stages/features/onednn/onednn_prefix.h"
#include "stages/kernels/resize.h"
#include "stages/model/backbones/load_backbone.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/weights/weights_file.h"
#include "tests/stages/decode/decode_probe.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

constexpr const char* kWeights = "weights/mobilenet_v2_imagenet.pth";
constexpr int kSide = 224;

std::vector<float> ReadTensor(WeightsFile& file, const std::string& name) {
  const TensorInfo* const tensor = file.Find(name);
  if (tensor == nullptr) {
    ADD_FAILURE() << kWeights << " has no " << name;
    return {};
  }
  std::vector<float> values(tensor->values());
  file.Read(*tensor, values);
  return values;
}

TEST(ImageNetSamples, HaveTheClassesThatKerasGives) {
  if (!SharedData(kWeights)) GTEST_SKIP() << kNoSharedData;
  omp_set_num_threads(1);
  // Keras' too. A beach with kites has no class of its own: Keras says sandbar, and with
  // antialiased resizing seashore.
  const std::map<std::string, std::set<std::size_t>> classes = {
      {"bird.bmp", {19}},          {"cat.bmp", {285}},     {"dragonfly.bmp", {319}},
      {"grace_hopper.bmp", {652}}, {"hot_dog.jpg", {934}}, {"kite_and_cold.jpg", {977, 978}},
      {"parrot.jpg", {88}}};

  const auto weights = WeightsFile::Open(*SharedData(kWeights));
  const std::vector<float> kernel = ReadTensor(*weights, "classifier.1.weight");
  const std::vector<float> bias = ReadTensor(*weights, "classifier.1.bias");
  const Backbone model =
      MobileNetV2(1.0, {kSide, kSide}, {.padding = Padding::kSame, .batch_norm_epsilon = 1e-5f});
  const auto prefix = MakeOneDnnPrefix(
      model.network(), ReadBackbone(WeightsFile::Open(*SharedData(kWeights)), model),
      {.last_layer = model.Find("out_relu"), .pooling = Pooling::kAverage});
  const std::size_t values = prefix->output_values();
  ASSERT_EQ(kernel.size(), bias.size() * values);

  DecodeProbe decode(kSide, kSide);
  const auto workspace = prefix->MakeWorkspace();
  std::vector<std::uint8_t> pixels(std::size_t{3} * kSide * kSide);
  std::vector<float> features(values);
  for (const auto& [file, wanted] : classes) {
    const Image image = Must(decode.Map(*SharedData("data/imagenet_samples/" + file)));
    Resize(image.view(), {pixels.data(), kSide, kSide});
    prefix->Run(pixels.data(), *workspace, features.data());
    std::vector<double> logits(bias.begin(), bias.end());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      logits[i] =
          std::inner_product(features.begin(), features.end(), &kernel[i * values], logits[i]);
    }
    const auto top = std::max_element(logits.begin(), logits.end()) - logits.begin();
    EXPECT_TRUE(wanted.contains(static_cast<std::size_t>(top))) << file << ": " << top;
  }
}

}  // namespace
}  // namespace weir
