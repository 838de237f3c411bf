#include "stages/model/backbones/find_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/backbones/load_backbone.h"
#include "stages/model/weights/safetensors_writer.h"
#include "tests/support/caught_error.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

const Backbone kSmall = MobileNetV2(0.35, {32, 32}, Convention::Torchvision());
const Backbone kWide = MobileNetV2(0.5, {32, 32}, Convention::Torchvision());

// A network to put into a file: whose numbers, under which prefix.
struct Put {
  std::string prefix;
  const BackboneWeights* weights;
  const Backbone* model = &kSmall;
};

class FindNetworkTest : public testing::Test {
 protected:
  void Write(const std::vector<Put>& networks) {
    std::vector<TensorToWrite> tensors = tensors_;
    for (const Put& put : networks) {
      const Naming naming = WithPrefix(naming_of_(*put.model), put.prefix);
      for (std::size_t i = 0; i < naming.layers.size(); ++i) {
        const NetworkLayer& layer = put.model->network().layers()[i];
        const ConvWeights& weights = put.weights->layers[i];
        const std::vector<float>* values[] = {&weights.kernel, &weights.gamma, &weights.beta,
                                              &weights.mean, &weights.variance};
        for (std::size_t t = 0; t < std::size(values); ++t) {
          const std::string& name = *naming.layers[i].tensors()[t];
          const auto is_there = [&](const TensorToWrite& it) { return it.name == name; };
          if (std::ranges::any_of(tensors_, is_there)) continue;
          tensors.push_back(
              TensorToWrite::Of(name, StoredShape(layer, t, naming.is_keras), *values[t]));
        }
      }
    }
    WriteSafetensors(path_, tensors);
  }

  // Which of the two sets of numbers is found, by its first kernel.
  std::string Found(const std::string& prefix = "") {
    const ConvWeights first = ReadBackbone(WeightsFile::Open(path_), kSmall, prefix)(0);
    if (first.kernel == ours_.layers[0].kernel) return "ours";
    return first.kernel == other_.layers[0].kernel ? "other" : "neither";
  }
  std::string Refusal(const std::string& prefix = "") {
    const std::string text = CaughtError([&] { Found(prefix); });
    return text.starts_with(path_.string()) ? text.substr(path_.string().size()) : text;
  }

  ScratchFolder folder_;
  const std::filesystem::path path_ = folder_ / "w.safetensors";
  const BackboneWeights ours_ = RandomBackbone(kSmall.network(), 1);
  const BackboneWeights other_ = RandomBackbone(kSmall.network(), 2);
  const BackboneWeights wide_ = RandomBackbone(kWide.network(), 3);
  std::vector<TensorToWrite> tensors_;  // in place of those of the networks
  // Torchvision's, or what a test sets.
  std::function<Naming(const Backbone&)> naming_of_ = [](const Backbone& model) {
    return model.namings().front();
  };
};

// What is said of two networks whose tensors' names begin with `prefixes`.
std::string TwoFit(const std::string& prefixes) {
  return ": holds 2 different networks that fit mobilenet_v2 of width 0.35; the names of their "
         "tensors begin with " +
         prefixes + "\nsay which is meant: set model.backbone.prefix to one of these";
}

TEST_F(FindNetworkTest, AnyPrefixOfTheOnlyNetworkIsFound) {
  for (const std::string prefix :
       {"module.", "model.", "_orig_mod.module.backbone.", "state_dict.net.", "a b/c."}) {
    Write({{prefix, &ours_}});
    EXPECT_EQ(Found(), "ours") << prefix;
  }
}

TEST_F(FindNetworkTest, OfTwoThatFitEquallyNoneIsTaken) {
  Write({{"encoder_q.", &ours_}, {"encoder_k.", &other_}});
  EXPECT_EQ(Refusal(), TwoFit("'encoder_k.', 'encoder_q.'"));
  EXPECT_EQ(Found("encoder_q."), "ours");
  EXPECT_EQ(Found("encoder_k"), "other");
  EXPECT_EQ(Refusal("encoder"),
            ": holds no MobileNetV2 whose tensors' names begin with 'encoder'\nwhat fits begins "
            "with 'encoder_k.', 'encoder_q.': set model.backbone.prefix to that, or leave it out");
}

TEST_F(FindNetworkTest, AMovingAverageInsideTheModelIsNotTakenForIt) {
  Write({{"module.", &ours_}, {"module.ema.", &other_}});
  EXPECT_EQ(Refusal(), TwoFit("'module.', 'module.ema.'"));
}

TEST_F(FindNetworkTest, ThePublishersOwnNamesWin) {
  Write({{"", &ours_}, {"ema.", &other_}, {"a.", &other_}});
  EXPECT_EQ(Found(), "ours");
  EXPECT_EQ(Found("ema."), "other");
}

TEST_F(FindNetworkTest, CopiesWithTheSameNumbersAreOneNetwork) {
  Write({{"a.", &ours_}, {"b.", &ours_}});
  EXPECT_EQ(Found(), "ours");
}

TEST_F(FindNetworkTest, ANetworkOfAnotherWidthDoesNotFit) {
  Write({{"a_teacher.", &wide_, &kWide}, {"student.", &ours_}});
  EXPECT_EQ(Found(), "ours");
  EXPECT_TRUE(Refusal("a_teacher.")
                  .ends_with("the file looks like width 0.5: set model.backbone.width to it"));
  Write({{"", &wide_, &kWide}, {"student.", &ours_}});
  EXPECT_EQ(Found(), "ours");
}

// The model was saved in part: its average is not taken in its place.
TEST_F(FindNetworkTest, ADamagedNetworkIsNotPassedOverForAnother) {
  const std::vector<float> one = {1};
  tensors_.push_back(TensorToWrite::Of("features.0.0.weight", {1}, one));
  Write({{"", &ours_}, {"ema.", &other_}});
  EXPECT_EQ(Refusal(),
            ": 1 of 260 tensors do not fit mobilenet_v2 of width 0.35: features.0.0.weight is [1] "
            "and not [16, 3, 3, 3]\n"
            "if another network is meant that fits, set model.backbone.prefix to 'ema.'");
  EXPECT_EQ(Found("ema."), "other");
}

TEST_F(FindNetworkTest, WhatATerminalWouldObeyIsNotShown) {
  const std::vector<float> one = {1};
  tensors_.push_back(TensorToWrite::Of("\x1b[2J.features.0.0.weight", {1}, one));
  Write({{"\x1b[2J.", &ours_}});
  EXPECT_EQ(Refusal(),
            ": 1 of 260 tensors do not fit mobilenet_v2 of width 0.35: ?[2J.features.0.0.weight is "
            "[1] and not [16, 3, 3, 3]\ngive weights of MobileNetV2 with this width");
}

TEST_F(FindNetworkTest, TorchvisionsFeaturesAloneAreABackbone) {
  naming_of_ = [](const Backbone& model) {
    const std::vector<Naming> namings = model.namings();
    return *std::ranges::find(namings, "features.", &Naming::without);
  };
  EXPECT_EQ(naming_of_(kSmall).layers[0].kernel, "0.0.weight");
  for (const std::string prefix : {"", "backbone.", "0."}) {
    Write({{prefix, &ours_}});
    EXPECT_EQ(Found(), "ours") << prefix;
  }
}

// The names as https://huggingface.co/google/mobilenet_v2_1.0_224 has them.
TEST_F(FindNetworkTest, TransformersNamesAreKnown) {
  naming_of_ = [](const Backbone& model) {
    const std::vector<Naming> namings = model.namings();
    return *std::ranges::find(namings, "transformers", &Naming::publisher);
  };
  const std::vector<LayerNames> layers = naming_of_(kSmall).layers;
  EXPECT_EQ(layers[0].kernel, "conv_stem.first_conv.convolution.weight");
  EXPECT_EQ(layers[1].variance, "conv_stem.conv_3x3.normalization.running_var");
  EXPECT_EQ(layers[2].kernel, "conv_stem.reduce_1x1.convolution.weight");
  EXPECT_EQ(layers[3].kernel, "layer.0.expand_1x1.convolution.weight");
  EXPECT_EQ(layers[50].gamma, "layer.15.reduce_1x1.normalization.weight");
  EXPECT_EQ(layers[51].kernel, "conv_1x1.convolution.weight");
  Write({{"mobilenet_v2.", &ours_}});
  EXPECT_EQ(Found(), "ours");
}

TEST_F(FindNetworkTest, APrefixThatNothingHasIsTold) {
  Write({{"", &ours_}});
  EXPECT_EQ(Refusal("student."),
            ": holds no MobileNetV2 whose tensors' names begin with 'student.'\nwhat fits begins "
            "with '': set model.backbone.prefix to that, or leave it out");
}

TEST_F(FindNetworkTest, QuantizedWeightsAreNotTakenForWeights) {
  std::vector<std::int8_t> quantized(16 * 3 * 3 * 3);
  tensors_.push_back({"features.0.0.weight",
                      {16, 3, 3, 3},
                      std::as_bytes(std::span(quantized)),
                      ElementType::kI8});
  Write({{"", &ours_}});
  EXPECT_EQ(Refusal(),
            ": 1 of 260 tensors do not fit mobilenet_v2 of width 0.35: features.0.0.weight is made "
            "of whole numbers, as quantized weights are\n"
            "save its tensors again, whole and in float32");
}

// NaN, which a comparison never finds, in each place of a network; and statistics that none has.
TEST_F(FindNetworkTest, WhatIsNoNumberIsRefusedByName) {
  const auto read_all = [&](const BackboneWeights& weights) {
    Write({{"", &weights}});
    const std::string text = CaughtError(
        [&] { Whole(ReadBackbone(WeightsFile::Open(path_), kSmall), kSmall.network()); });
    return text.substr(std::min(text.size(), path_.string().size()));
  };
  const std::string went_wrong =
      "\nthe training or the conversion that wrote the file went wrong: give other weights";
  BackboneWeights nan = ours_, infinite = ours_, negative = ours_;
  nan.layers[0].kernel[7] = nan.layers[0].kernel[9] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(read_all(nan),
            ": tensor 'features.0.0.weight' holds NaN or infinity in 2 of its 432 "
            "numbers" +
                went_wrong);
  infinite.layers[1].beta[0] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(read_all(infinite),
            ": tensor 'features.1.conv.0.1.bias' holds NaN or infinity in 1 of "
            "its 16 numbers" +
                went_wrong);
  negative.layers[51].variance[3] = -0.5f;
  EXPECT_EQ(read_all(negative),
            ": tensor 'features.18.1.running_var' is a variance and holds -0.5" + went_wrong);
}

}  // namespace
}  // namespace weir
