#include "stages/device/cuda/folded_network.h"

#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "framework/random.h"
#include "stages/device/cuda/torch_arithmetic.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "tests/stages/device/cuda/uneven_backbone.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

constexpr MapSize kInput = {65, 47};  // odd and even maps on the way

at::Tensor Preprocessed(const std::vector<std::uint8_t>& pixels, int samples) {
  const at::Tensor raw = at::from_blob(const_cast<std::uint8_t*>(pixels.data()),
                                       {samples, kInput.height, kInput.width, 3}, at::kByte);
  const Preprocessing preprocessing;
  const auto channel = at::TensorOptions(at::kFloat);
  return raw.to(at::kFloat)
      .mul(at::tensor(preprocessing.scale, channel))
      .add(at::tensor(preprocessing.offset, channel));
}

std::vector<float> Reference(const Network& model, const BackboneWeights& weights, int last,
                             const std::uint8_t* pixels) {
  const auto prefix =
      MakeOneDnnPrefix(model, weights, {.last_layer = last, .pooling = Pooling::kNone});
  std::vector<float> output(prefix->output_values());
  prefix->Run(pixels, *prefix->MakeWorkspace(), output.data());
  return output;
}

class FoldedNetworkTest : public testing::TestWithParam<std::tuple<bool, int, Precision>> {};

// On the processor, where LibTorch runs the same calls.
TEST_P(FoldedNetworkTest, AgreesWithTheHostsPrefix) {
  const auto [keras, last, precision] = GetParam();
  const Network model =
      MobileNetV2(0.35, kInput, keras ? Convention::Keras() : Convention::Torchvision()).network();
  const BackboneWeights weights = UnevenBackbone(model);
  constexpr int kSamples = 3;
  const std::vector<std::uint8_t> pixels = RandomPixels(model, kSamples, 11);

  at::set_num_threads(1);
  UseExactTorchArithmetic();
  const FoldedNetwork network(model, weights, last, precision, at::kCPU);
  const at::Tensor maps =
      network.Run(Preprocessed(pixels, kSamples).to(network.type())).to(at::kFloat);

  for (int i = 0; i < kSamples; ++i) {
    const std::vector<float> expected =
        Reference(model, weights, last, pixels.data() + i * pixels.size() / kSamples);
    ASSERT_EQ(maps[i].numel(), static_cast<std::int64_t>(expected.size()));
    const float* values = maps[i].const_data_ptr<float>();
    // float32: sums in another order, through 52 layers; bfloat16: 8 bits of each value.
    const double allowed = precision == Precision::kFloat32 ? 2e-3 : 0.1;
    EXPECT_LT(Difference({values, values + expected.size()}, expected), allowed) << "sample " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Conventions, FoldedNetworkTest,
                         testing::Combine(testing::Bool(), testing::Values(0, 12, 51),
                                          testing::Values(Precision::kFloat32,
                                                          Precision::kBfloat16)));

}  // namespace
}  // namespace weir
