// What is written as TorchScript, LibTorch loads, and comes to what the operations are defined to
// give.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <array>
#include <exception>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/export/formats/torchscript/torchscript_format.h"
#include "tests/stages/model/export/formats/exported_graphs.h"

namespace weir {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

constexpr double kTolerance = 1e-5;  // for a probability: float32, summed in another order
constexpr int kPictures = 2;

torch::jit::Module Loaded(const InferenceGraph& graph, ExportInput input = ExportInput::kUint8) {
  std::istringstream file(FileOf(kTorchscriptFormat, graph, input));
  return torch::jit::load(file);
}

at::Tensor Forward(torch::jit::Module& module, const at::Tensor& images) {
  const c10::InferenceMode inference;
  return module.forward({images}).toTensor();
}

at::Tensor Bytes(MapSize size, int pictures) {
  std::vector<at::Tensor> images;
  for (int i = 0; i < pictures; ++i) {
    std::vector<std::uint8_t> pixels = DrawnPicture(size, i);
    images.push_back(at::from_blob(pixels.data(), {size.height, size.width, 3}, at::kByte).clone());
  }
  return at::stack(images);
}

// As it is fed the same in numbers, [N, 3, H, W].
at::Tensor Numbers(const InferenceGraph& graph, const at::Tensor& bytes) {
  const auto& [scale, offset] = graph.model().preprocessing();
  const auto by_channel = [](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values)).view({3, 1, 1});
  };
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat) * by_channel(scale) + by_channel(offset);
}

void ExpectExact(const InferenceGraph& graph, const at::Tensor& given) {
  for (int i = 0; i < kPictures; ++i) {
    const ExactValue fed = FedOf(graph, DrawnPicture(graph.model().network().input(), i));
    const std::vector<double> wanted = InferExactly(graph, fed).back().values;
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      EXPECT_NEAR(given[i][static_cast<int>(c)].item<float>(), wanted[c], kTolerance);
    }
  }
}

void ExpectExact(const InferenceGraph& graph, ExportInput input) {
  const at::Tensor bytes = Bytes(graph.model().network().input(), kPictures);
  torch::jit::Module module = Loaded(graph, input);
  ExpectExact(graph, Forward(module, input == ExportInput::kFloat ? Numbers(graph, bytes) : bytes));
}

// Every operation, in both paddings.
TEST(TorchscriptRun, ComputesWhatTheOperationsAreDefinedToGive) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    std::vector<DrawnNetwork> networks = DrawnNetworks(convention);
    networks.push_back({"mobilenet_v2", Small(convention)});
    for (const DrawnNetwork& drawn : networks) {
      SCOPED_TRACE(drawn.name);
      ExpectExact(GraphOf(drawn.backbone), ExportInput::kUint8);
      ExpectExact(GraphOf(drawn.backbone, kLongHead), ExportInput::kFloat);
      ExpectExact(GraphOf(drawn.backbone, kFlatHead, /*keeps_batch_norms=*/true),
                  ExportInput::kFloat);
    }
  }
}

TEST(TorchscriptRun, ResizesPicturesOfAnySize) {
  const InferenceGraph graph = GraphOf(Small());
  ExpectExact(graph, ExportInput::kAnySize);  // pictures of the model's size: nothing is changed
  torch::jit::Module any = Loaded(graph, ExportInput::kAnySize), same = Loaded(graph);
  // Twice as large, each pixel four times: shrunk with antialiasing it is smooth, but grey stays.
  const at::Tensor grey = at::full({1, 128, 192, 3}, 77, at::kByte);
  const at::Tensor small = at::full({1, 64, 96, 3}, 77, at::kByte);
  EXPECT_LT((Forward(any, grey) - Forward(same, small)).abs().max().item<float>(), kTolerance);
}

TEST(TorchscriptRun, RefusesInWordsWhatItIsNotFed) {
  const InferenceGraph graph = GraphOf(Small());
  torch::jit::Module bytes = Loaded(graph), any = Loaded(graph, ExportInput::kAnySize),
                     numbers = Loaded(graph, ExportInput::kFloat);
  const auto said = [](torch::jit::Module& module, const at::Tensor& images) -> std::string {
    try {
      Forward(module, images);
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  const at::Tensor right = Bytes({64, 96}, 2);
  EXPECT_EQ(said(bytes, right), "");
  for (const at::Tensor& wrong :
       {right.to(at::kFloat), right[0], Bytes({64, 64}, 1), right.permute({0, 3, 1, 2})}) {
    EXPECT_THAT(said(bytes, wrong), HasSubstr("images have to be uint8 [N, 64, 96, 3]"));
  }
  EXPECT_EQ(said(any, Bytes({20, 30}, 1)), "");
  EXPECT_THAT(said(any, right.permute({0, 3, 1, 2})),
              HasSubstr("images have to be uint8 [N, height, width, 3]"));
  EXPECT_EQ(said(numbers, Numbers(graph, right)), "");
  EXPECT_THAT(said(numbers, right), HasSubstr("images have to be float32 [N, 3, 64, 96]"));
}

TEST(TorchscriptRun, HasItsWeightsUnderTheNamesOfTheModelsFolder) {
  const InferenceGraph graph = GraphOf(Small(), kUsualHead, /*keeps_batch_norms=*/true);
  const torch::jit::Module module = Loaded(graph);
  std::set<std::string> parameters, buffers;
  for (const auto& each : module.named_parameters()) parameters.insert(each.name);
  for (const auto& each : module.named_buffers()) buffers.insert(each.name);
  EXPECT_THAT(parameters, AllOf(Contains("features.0.0.weight"), Contains("features.0.1.bias"),
                                Contains("head.1.weight")));
  EXPECT_THAT(buffers,
              AllOf(Contains("features.0.1.running_mean"), Contains("preprocessing.scale")));
  EXPECT_EQ(parameters.size(), 52u * 3 + 2);
  const at::Tensor weight =
      module.attr("head").toModule().attr("1").toModule().attr("weight").toTensor();
  EXPECT_EQ(weight.sizes(), (at::IntArrayRef{2, 1280}));
}

// As a program does that goes on with it.
TEST(TorchscriptRun, IsAModuleAsAnyOther) {
  const InferenceGraph graph = GraphOf(Small());
  torch::jit::Module module = Loaded(graph);
  module.train();
  module.eval();
  EXPECT_FALSE(module.is_training());
  std::stringstream again;
  module.save(again);
  torch::jit::Module saved = torch::jit::load(again), frozen = torch::jit::freeze(module);
  const at::Tensor images = Bytes({64, 96}, kPictures);
  ExpectExact(graph, Forward(saved, images));
  ExpectExact(graph, Forward(frozen, images));
}

}  // namespace
}  // namespace weir
