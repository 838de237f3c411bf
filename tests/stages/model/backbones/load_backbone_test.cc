#include "stages/model/backbones/load_backbone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/caught_error.h"
#include "tests/support/keras_files.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

const Backbone kSmall = MobileNetV2(0.35, {32, 32}, Convention::Torchvision());

void ExpectSame(const BackboneWeights& a, const BackboneWeights& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].kernel, b.layers[i].kernel) << "layer " << i;
    EXPECT_EQ(a.layers[i].gamma, b.layers[i].gamma) << "layer " << i;
    EXPECT_EQ(a.layers[i].beta, b.layers[i].beta) << "layer " << i;
    EXPECT_EQ(a.layers[i].mean, b.layers[i].mean) << "layer " << i;
    EXPECT_EQ(a.layers[i].variance, b.layers[i].variance) << "layer " << i;
  }
}

// Random kernels, and statistics that tell the four vectors and their places apart.
BackboneWeights Distinct(const Backbone& model) {
  BackboneWeights backbone = RandomBackbone(model.network(), 1);
  float next = 1;
  for (ConvWeights& layer : backbone.layers) {
    for (auto* vector : {&layer.gamma, &layer.beta, &layer.mean, &layer.variance}) {
      for (float& value : *vector) value = next++;
    }
  }
  return backbone;
}

// The modules of a layer's convolution and batch norm.
using ModuleNames = std::function<std::pair<std::string, std::string>(int layer)>;

std::vector<TensorToWrite> PyTorchTensors(const Backbone& model, const BackboneWeights& backbone,
                                          const ModuleNames& names) {
  std::vector<TensorToWrite> tensors;
  for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
    const NetworkLayer& layer = model.network().layers()[i];
    const ConvWeights& weights = backbone.layers[i];
    const auto [convolution, norm] = names(static_cast<int>(i));
    tensors.push_back(TensorToWrite::Of(
        convolution + ".weight",
        {layer.out_channels, layer.in_channels / layer.groups, layer.kernel, layer.kernel},
        weights.kernel));
    tensors.push_back(TensorToWrite::Of(norm + ".weight", {layer.out_channels}, weights.gamma));
    tensors.push_back(TensorToWrite::Of(norm + ".bias", {layer.out_channels}, weights.beta));
    tensors.push_back(
        TensorToWrite::Of(norm + ".running_mean", {layer.out_channels}, weights.mean));
    tensors.push_back(
        TensorToWrite::Of(norm + ".running_var", {layer.out_channels}, weights.variance));
  }
  return tensors;
}

const Naming& NamingOf(std::string_view publisher) {
  static const std::vector<Naming> namings = kSmall.namings();
  return *std::ranges::find(namings, publisher, &Naming::publisher);
}

std::pair<std::string, std::string> Torchvision(int layer) {
  const LayerNames& names = NamingOf("torchvision").layers[layer];
  return {names.convolution, names.batch_norm};
}

// OIHW to Keras' HWIO, and HWCM for a depthwise kernel, by the definition of each index.
KerasWeight KerasKernel(const NetworkLayer& layer, const std::vector<float>& oihw,
                        const std::string& name) {
  const int out = layer.out_channels, in = layer.in_channels / layer.groups, k = layer.kernel;
  const bool depthwise = layer.is_depthwise();
  KerasWeight weight{name, {k, k, depthwise ? out : in, depthwise ? 1 : out}, {}};
  for (int y = 0; y < k; ++y) {
    for (int x = 0; x < k; ++x) {
      for (int i = 0; i < in; ++i) {
        for (int o = 0; o < out; ++o) {
          weight.values.push_back(oihw[static_cast<std::size_t>(((o * in + i) * k + y) * k + x)]);
        }
      }
    }
  }
  return weight;
}

std::vector<KerasFileLayer> KerasLayers(const Backbone& model, const BackboneWeights& backbone,
                                        const std::string& depthwise_kernel, bool by_position) {
  std::vector<KerasFileLayer> layers;
  int convolutions = 0, depthwise = 0, norms = 0;
  const auto number = [](int n) { return n == 0 ? "" : "_" + std::to_string(n); };
  for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
    const NetworkLayer& layer = model.network().layers()[i];
    const ConvWeights& weights = backbone.layers[i];
    const bool is_depthwise = layer.is_depthwise();
    std::string name = layer.name, norm = NamingOf("Keras").layers[i].batch_norm;
    if (by_position) {
      name = is_depthwise ? "depthwise_conv2d" + number(depthwise++)
                          : "conv2d" + number(convolutions++);
      norm = "batch_normalization" + number(norms++);
    }
    layers.push_back(
        {name, {KerasKernel(layer, weights.kernel, is_depthwise ? depthwise_kernel : "kernel")}});
    layers.push_back({norm,
                      {{"gamma", {layer.out_channels}, weights.gamma},
                       {"beta", {layer.out_channels}, weights.beta},
                       {"moving_mean", {layer.out_channels}, weights.mean},
                       {"moving_variance", {layer.out_channels}, weights.variance}}});
  }
  return layers;
}

class LoadBackboneTest : public testing::Test {
 protected:
  BackboneWeights Load(const Backbone& model = kSmall) {
    return Whole(ReadBackbone(WeightsFile::Open(path_), model), model.network());
  }

  ScratchFolder folder_;
  const std::filesystem::path path_ = folder_ / "w";
  const BackboneWeights backbone_ = Distinct(kSmall);
};

TEST_F(LoadBackboneTest, UnderstandsTheNamesOfTorchvisionAndTimm) {
  WriteSafetensors(path_, PyTorchTensors(kSmall, backbone_, Torchvision));
  ExpectSame(Load(), backbone_);
  WriteSafetensors(path_, PyTorchTensors(kSmall, backbone_, [](int layer) {
                     const LayerNames& names = NamingOf("timm").layers[layer];
                     return std::pair(names.convolution, names.batch_norm);
                   }));
  ExpectSame(Load(), backbone_);
  WriteSafetensors(path_, PyTorchTensors(kSmall, backbone_, [](int layer) {
                     const auto [convolution, batch_norm] = Torchvision(layer);
                     return std::pair("module." + convolution, "module." + batch_norm);
                   }));
  ExpectSame(Load(), backbone_);
}

TEST_F(LoadBackboneTest, UnderstandsTheNamesAndKernelsOfKeras) {
  for (const std::string kernel : {"kernel", "depthwise_kernel"}) {
    WriteLegacyH5(path_, KerasLayers(kSmall, backbone_, kernel, false), KerasText::kFixed);
    ExpectSame(Load(), backbone_);
  }
  WriteWeightsH5(path_, KerasLayers(kSmall, backbone_, "kernel", true));
  ExpectSame(Load(), backbone_);
}

TEST_F(LoadBackboneTest, AnotherWidthIsToldByTheShapes) {
  WriteSafetensors(path_, PyTorchTensors(kSmall, backbone_, Torchvision));
  const Backbone whole = MobileNetV2(1.0, {32, 32}, Convention::Torchvision());
  EXPECT_EQ(CaughtError([&] { Load(whole); }),
            path_.string() +
                ": 256 of 260 tensors do not fit mobilenet_v2 of width 1: features.0.0.weight is "
                "[16, 3, 3, 3] and not [32, 3, 3, 3]; features.0.1.weight is [16] and not [32]; "
                "features.0.1.bias is [16] and not [32]; features.0.1.running_mean is [16] and not "
                "[32]; features.0.1.running_var is [16] and not [32]; ...\n"
                "the file looks like width 0.35: set model.backbone.width to it");
}

TEST_F(LoadBackboneTest, WhatIsMissingIsListedAtOnce) {
  std::vector<TensorToWrite> tensors = PyTorchTensors(kSmall, backbone_, Torchvision);
  std::erase_if(tensors, [](const TensorToWrite& tensor) {
    return tensor.name == "features.0.1.bias" || tensor.name == "features.18.0.weight";
  });
  WriteSafetensors(path_, tensors);
  EXPECT_EQ(CaughtError([&] { Load(); }),
            path_.string() +
                ": 2 of 260 tensors do not fit mobilenet_v2 of width 0.35: features.0.1.bias is "
                "missing; features.18.0.weight is missing\n"
                "give weights of MobileNetV2 with this width");
}

TEST_F(LoadBackboneTest, AnotherNetworkIsNamedByItsFirstTensor) {
  const std::vector<float> one = {1};
  WriteSafetensors(path_, {TensorToWrite::Of("layer1.0.conv1.weight", {1}, one)});
  EXPECT_EQ(CaughtError([&] { Load(); }),
            path_.string() +
                ": holds no MobileNetV2: its 1 tensors (the first is 'layer1.0.conv1.weight') do "
                "not have the names that Keras, torchvision, timm or transformers give\n"
                "give weights of mobilenet_v2");
}

TEST_F(LoadBackboneTest, TheConventionFollowsTheFormatUnlessTheFileStatesIt) {
  const auto convention = [&](const std::map<std::string, std::string>& metadata) {
    WriteSafetensors(path_, {}, metadata);
    return ConventionOf(*WeightsFile::Open(path_));
  };
  EXPECT_EQ(convention({}), Convention::Torchvision());
  EXPECT_EQ(convention({{"weir.convention", "keras"}}), Convention::Keras());
  EXPECT_EQ(CaughtError([&] {
              convention({{"weir.convention", "caffe"}});
            }),
            path_.string() + ": weir.convention is 'caffe'\nit may be keras or torchvision");
  const std::vector<float> one = {1};
  for (const std::string name : {"bn_Conv1/moving_variance", "a.normalization.running_var"}) {
    WriteSafetensors(path_, {TensorToWrite::Of(name, {1}, one)});
    EXPECT_EQ(ConventionOf(*WeightsFile::Open(path_)), Convention::Keras()) << name;
  }
  WriteLegacyH5(path_, {{"a", {{"kernel", {1}, {1}}}}}, KerasText::kFixed);
  EXPECT_EQ(ConventionOf(*WeightsFile::Open(path_)), Convention::Keras());
  EXPECT_EQ(BatchNormEpsilonOf(*WeightsFile::Open(path_)), 1e-3f);
}

TEST_F(LoadBackboneTest, TheEpsilonThatAFileStatesIsANumber) {
  const auto epsilon = [&](const std::string& text) {
    WriteSafetensors(path_, {}, {{"weir.batch_norm_epsilon", text}});
    return BatchNormEpsilonOf(*WeightsFile::Open(path_));
  };
  EXPECT_EQ(epsilon("0.002"), 0.002f);
  EXPECT_EQ(epsilon("1e-05"), 1e-5f);
  const std::string none(1, '\0');
  for (const auto& [text, shown] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"1", "1"},
                                                        {"nan", "nan"},
                                                        {"0.001x", "0.001x"},
                                                        {"0.001" + none, "0.001?"}}) {
    EXPECT_EQ(CaughtError([&, written = text] { epsilon(written); }),
              path_.string() + ": weir.batch_norm_epsilon is '" + shown +
                  "'\nit may be a number between 0 and 1");
  }
}

TEST_F(LoadBackboneTest, TheSameWeightsInFourFormatsAreTheSameBits) {
  const Backbone model = MobileNetV2(1.0, {224, 224}, Convention::Keras());
  std::vector<FoldedConv> expected;
  for (const char* name : {"mobilenet_v2_imagenet.pth", "mobilenet_v2_imagenet.safetensors",
                           "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
                           "mobilenet_v2_no_top.weights.h5"}) {
    const auto path = SharedData(std::string("weights/") + name);
    if (!path) GTEST_SKIP() << kNoSharedData;
    const std::shared_ptr<WeightsFile> file = WeightsFile::Open(*path);
    const BackboneWeights backbone = Whole(ReadBackbone(file, model), model.network());
    for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
      FoldedConv folded =
          Fold(model.network().layers()[i], backbone.layers[i], BatchNormEpsilonOf(*file));
      if (expected.size() == i) expected.push_back(folded);
      EXPECT_EQ(folded.kernel, expected[i].kernel) << name << " layer " << i;
      EXPECT_EQ(folded.bias, expected[i].bias) << name << " layer " << i;
    }
  }
}

}  // namespace
}  // namespace weir
