#include "tests/support/mobilenet_v2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "framework/error.h"
#include "stages/model/backbones/backbone.h"

namespace weir {
namespace {

constexpr MapSize k224 = {224, 224};

std::vector<int> ProjectedChannels(const Backbone& model) {
  std::vector<int> channels;
  for (const NetworkLayer& layer : model.network().layers()) {
    if (layer.name.ends_with("_project")) channels.push_back(layer.out_channels);
  }
  return channels;
}

const NetworkLayer& LayerNamed(const Backbone& model, std::string_view name) {
  return model.network().layers().at(model.Find(name));
}

TEST(MobileNetV2, HasThePapersChannels) {
  const Backbone model = MobileNetV2(1.0, k224, Convention::Keras());
  ASSERT_EQ(model.network().layers().size(), 52u);
  EXPECT_EQ(model.network().layers()[0].out_channels, 32);
  EXPECT_THAT(ProjectedChannels(model), testing::ElementsAre(16, 24, 24, 32, 32, 32, 64, 64, 64, 64,
                                                             96, 96, 96, 160, 160, 160, 320));
  EXPECT_EQ(model.network().out_channels(), 1280);
  EXPECT_EQ(LayerNamed(model, "block_13_expand").out_channels, 576);
}

// What keras.applications.MobileNetV2(alpha=...) builds.
TEST(MobileNetV2, RoundsChannelsAsKerasDoes) {
  const Backbone narrow = MobileNetV2(0.35, k224, Convention::Keras());
  EXPECT_EQ(narrow.network().layers()[0].out_channels, 16);
  EXPECT_THAT(ProjectedChannels(narrow), testing::ElementsAre(8, 8, 8, 16, 16, 16, 24, 24, 24, 24,
                                                              32, 32, 32, 56, 56, 56, 112));
  EXPECT_EQ(narrow.network().out_channels(), 1280);

  const Backbone wide = MobileNetV2(1.4, k224, Convention::Keras());
  EXPECT_EQ(wide.network().layers()[0].out_channels, 48);
  EXPECT_THAT(ProjectedChannels(wide), testing::ElementsAre(24, 32, 32, 48, 48, 48, 88, 88, 88, 88,
                                                            136, 136, 136, 224, 224, 224, 448));
  EXPECT_EQ(wide.network().out_channels(), 1792);
}

TEST(MobileNetV2, AddsTheInputOfABlockWhereTheShapesAllow) {
  const Backbone model = MobileNetV2(1.0, k224, Convention::Keras());
  std::vector<std::string> residuals;
  for (const NetworkLayer& layer : model.network().layers()) {
    if (layer.added >= 0) {
      residuals.push_back(layer.name + " + " + model.network().layers()[layer.added].name);
    }
  }
  EXPECT_THAT(residuals,
              testing::ElementsAre(
                  "block_2_project + block_1_project", "block_4_project + block_3_project",
                  "block_5_project + block_4_project", "block_7_project + block_6_project",
                  "block_8_project + block_7_project", "block_9_project + block_8_project",
                  "block_11_project + block_10_project", "block_12_project + block_11_project",
                  "block_14_project + block_13_project", "block_15_project + block_14_project"));
}

TEST(MobileNetV2, NamesItsLayersInThreeConventions) {
  const Backbone model = MobileNetV2(1.0, k224, Convention::Keras());
  const std::vector<Naming> namings = model.namings();
  const auto names = [&](int layer) {
    std::vector<std::string> names;
    for (const char* publisher : {"Keras", "torchvision", "timm"}) {
      const auto naming = std::ranges::find(namings, publisher, &Naming::publisher);
      names.push_back(naming->layers[layer].convolution);
      names.push_back(naming->layers[layer].batch_norm);
    }
    return testing::PrintToString(names);
  };
  EXPECT_EQ(names(0),
            R"({ "Conv1", "bn_Conv1", "features.0.0", "features.0.1", "conv_stem", "bn1" })");
  EXPECT_EQ(names(1),
            R"({ "expanded_conv_depthwise", "expanded_conv_depthwise_BN", "features.1.conv.0.0", )"
            R"("features.1.conv.0.1", "blocks.0.0.conv_dw", "blocks.0.0.bn1" })");
  EXPECT_EQ(names(2),
            R"({ "expanded_conv_project", "expanded_conv_project_BN", "features.1.conv.1", )"
            R"("features.1.conv.2", "blocks.0.0.conv_pw", "blocks.0.0.bn2" })");
  EXPECT_EQ(names(3), R"({ "block_1_expand", "block_1_expand_BN", "features.2.conv.0.0", )"
                      R"("features.2.conv.0.1", "blocks.1.0.conv_pw", "blocks.1.0.bn1" })");
  EXPECT_EQ(names(7), R"({ "block_2_depthwise", "block_2_depthwise_BN", "features.3.conv.1.0", )"
                      R"("features.3.conv.1.1", "blocks.1.1.conv_dw", "blocks.1.1.bn2" })");
  EXPECT_EQ(names(50), R"({ "block_16_project", "block_16_project_BN", "features.17.conv.2", )"
                       R"("features.17.conv.3", "blocks.6.0.conv_pwl", "blocks.6.0.bn3" })");
  EXPECT_EQ(names(51),
            R"({ "Conv_1", "Conv_1_bn", "features.18.0", "features.18.1", "conv_head", "bn2" })");
}

TEST(MobileNetV2, FindsLayersBlocksAndDerivedLayers) {
  const Backbone model = MobileNetV2(1.0, k224, Convention::Keras());
  EXPECT_EQ(model.Find("Conv1"), 0);
  EXPECT_EQ(model.Find("Conv1_relu"), 0);
  EXPECT_EQ(model.Find("features.0"), 0);
  EXPECT_EQ(model.Find("expanded_conv"), 2);
  EXPECT_EQ(model.Find("blocks.0"), 2);
  EXPECT_EQ(model.Find("block_1"), 5);
  EXPECT_EQ(model.Find("block_1_project_BN"), 5);
  EXPECT_EQ(model.Find("features.2.conv.0"), 3);
  EXPECT_EQ(model.Find("features.2"), 5);
  EXPECT_EQ(model.Find("block_2_add"), 8);
  EXPECT_EQ(model.Find("block_13_expand_relu"), 39);
  EXPECT_EQ(model.Find("features.14.conv.0.0"), 39);
  EXPECT_EQ(model.Find("blocks.5.0.conv_pw"), 39);
  EXPECT_EQ(model.Find("block_13"), 41);
  EXPECT_EQ(model.Find("out_relu"), 51);
  EXPECT_EQ(model.Find("features"), 51);
}

TEST(MobileNetV2, FindsNothingUnderANameThatIsNotThere) {
  const Backbone model = MobileNetV2(1.0, k224, Convention::Keras());
  for (const char* name : {"", "block", "block_", "block_17", "block_1_add", "block_1_project_relu",
                           "Conv", "features.", "features.19", "Conv_1_relu"}) {
    EXPECT_EQ(model.Find(name), -1) << name;
  }
}

TEST(MobileNetV2, PadsStrideTwoByItsConvention) {
  const Backbone same = MobileNetV2(1.0, {224, 225}, Convention::Keras());
  EXPECT_EQ(testing::PrintToString(
                std::vector{same.network().pads(0).top, same.network().pads(0).left,
                            same.network().pads(0).bottom, same.network().pads(0).right}),
            "{ 0, 1, 1, 1 }");  // even rows, odd columns
  EXPECT_EQ(same.network().output_size(0), (MapSize{112, 113}));

  const Backbone symmetric = MobileNetV2(1.0, {224, 225}, Convention::Torchvision());
  EXPECT_EQ(symmetric.network().pads(0).top, 1);
  EXPECT_EQ(symmetric.network().pads(0).bottom, 1);
  EXPECT_EQ(symmetric.network().output_size(0), (MapSize{112, 113}));
  EXPECT_EQ(symmetric.network().pads(1).top, 1);  // stride 1
  EXPECT_EQ(symmetric.network().pads(2).top, 0);  // 1x1
}

// Both conventions halve and round up, five times.
TEST(MobileNetV2, ShrinksAnyInputByThirtyTwo) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const MapSize input : {MapSize{32, 32}, MapSize{33, 65}, MapSize{224, 224},
                                MapSize{225, 190}, MapSize{97, 301}}) {
      const Backbone model = MobileNetV2(0.35, input, convention);
      EXPECT_EQ(model.network().output_size(51),
                (MapSize{(input.height + 31) / 32, (input.width + 31) / 32}));
      EXPECT_EQ(model.network().input_size(0), input);
    }
  }
}

TEST(MobileNetV2, FeedsTorchvisionWithTheStatisticsOfImageNet) {
  const Preprocessing preprocessing = Convention::Torchvision().preprocessing;
  EXPECT_NEAR(128 * preprocessing.scale[0] + preprocessing.offset[0], (128 / 255.0 - 0.485) / 0.229,
              1e-6);
  EXPECT_NEAR(7 * preprocessing.scale[2] + preprocessing.offset[2], (7 / 255.0 - 0.406) / 0.225,
              1e-6);
}

TEST(MobileNetV2, RefusesWhatItCannotBe) {
  const auto refusal = [](double width, MapSize input) -> std::string {
    try {
      MobileNetV2(width, input, Convention::Keras());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what() + std::string("\n") + error.remedy();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(0, k224),
            "mobilenet_v2: width 0 is outside (0, 10]\n"
            "Set width to the alpha that the weights were made with, such as 0.35, 1.0 or 1.4.");
  EXPECT_EQ(refusal(1, {31, 224}),
            "mobilenet_v2: an input of 31 x 224 pixels is smaller than 32 x 32\n"
            "Give it larger pictures; 224 x 224 is usual.");
  EXPECT_NE(refusal(std::numeric_limits<double>::quiet_NaN(), k224), "accepted");
  EXPECT_NE(refusal(-1, k224), "accepted");
  EXPECT_EQ(refusal(0.1, {32, 32}), "accepted");
}

}  // namespace
}  // namespace weir
