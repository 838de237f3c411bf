#include "stages/model/backbones/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::HasSubstr;

constexpr MapSize kInput = {9, 7};
constexpr Activate kRelu = {Nonlinearity::kRelu};

Network Make(std::vector<Operation> operations, const Convention& convention = {}) {
  return Network(std::move(operations), kInput, convention);
}

TEST(Network, TakesAnAddAndAnActivationIntoTheConvolutionBeforeThem) {
  const Network network = Make({{"a", "a", -1, 0, Conv{.out_channels = 4}},
                                {"b", "b", 0, 0, Conv{.out_channels = 4}},
                                {"sum", "b", 1, 0, Add{.from = 0}},
                                {"relu", "b", 2, 0, kRelu}});
  ASSERT_EQ(network.size(), 2);
  const NetworkLayer& layer = network.layers()[1];
  EXPECT_EQ(layer.name, "b");
  EXPECT_EQ(layer.added, 0);
  EXPECT_EQ(layer.activation, Nonlinearity::kRelu);
  EXPECT_EQ(network.layer_of(3), 1);
  EXPECT_EQ(network.last_reader(0), 1);
  EXPECT_EQ(network.last_reader(1), 1);
}

// The order is the operations': what is activated first and added then is two layers.
TEST(Network, LeavesAnAddBehindAnActivationALayerByItself) {
  const Network network = Make({{"a", "a", -1, 0, Conv{.out_channels = 4}},
                                {"b", "b", 0, 0, Conv{.out_channels = 4}},
                                {"relu", "b", 1, 0, kRelu},
                                {"sum", "b", 2, 0, Add{.from = 0}}});
  ASSERT_EQ(network.size(), 3);
  EXPECT_EQ(network.layers()[1].activation, Nonlinearity::kRelu);
  EXPECT_EQ(network.layers()[2].kind, NetworkLayer::Kind::kAdd);
  EXPECT_EQ(network.layers()[2].input, 1);
  EXPECT_EQ(network.layers()[2].added, 0);
  EXPECT_EQ(network.layers()[2].activation, std::nullopt);
}

TEST(Network, TakesNothingInBehindAMapThatOthersRead) {
  const Network network = Make({{"a", "a", -1, 0, Conv{.out_channels = 4}},
                                {"relu", "a", 0, 0, kRelu},
                                {"b", "b", 0, 0, Conv{.out_channels = 4}},
                                {"sum", "b", 2, 0, Add{.from = 1}}});
  ASSERT_EQ(network.size(), 3);
  EXPECT_EQ(network.layers()[1].kind, NetworkLayer::Kind::kActivation);
  EXPECT_EQ(network.layers()[2].input, 0);
  EXPECT_EQ(network.layers()[2].added, 1);
}

TEST(Network, AddsInEitherOrder) {
  const Network network = Make({{"a", "a", -1, 0, Conv{.out_channels = 4}},
                                {"b", "b", 0, 0, Conv{.out_channels = 4}},
                                {"sum", "b", 0, 0, Add{.from = 1}}});
  ASSERT_EQ(network.size(), 2);
  EXPECT_EQ(network.layers()[1].added, 0);
}

TEST(Network, KnowsTheSizesOfItsMaps) {
  const Network network =
      Make({{"a", "a", -1, 0, Conv{.out_channels = 4, .kernel = 3, .stride = 2}},
            {"pool", "a", 0, 0, MaxPool{.kernel = 3, .stride = 2}},
            {"mean", "a", 1, 0, GlobalPool{}},
            {"dense", "a", 2, 0, Dense{.units = 6}}});
  EXPECT_EQ(network.output_size(0), (MapSize{5, 4}));
  EXPECT_EQ(network.output_size(1), (MapSize{3, 2}));
  EXPECT_EQ(network.output_size(2), (MapSize{1, 1}));
  EXPECT_EQ(network.out_channels(), 6);
  EXPECT_EQ(network.pads(1), (Pads{1, 0, 1, 1}));
  EXPECT_EQ(network.pads(3), Pads{});
}

TEST(Network, PadsADilatedKernelByItsReach) {
  const Network network =
      Make({{"a", "a", -1, 0, Conv{.out_channels = 4, .kernel = 3, .dilation = 2}}},
           Convention::Torchvision());
  EXPECT_EQ(network.pads(0), (Pads{2, 2, 2, 2}));
  EXPECT_EQ(network.output_size(0), kInput);
}

TEST(Network, RefusesOperationsThatDoNotFitTogether) {
  const Operation first = {"a", "a", -1, 0, Conv{.out_channels = 4}};
  const auto refusal = [&](Operation second) {
    return CaughtError([&] { Make({first, std::move(second)}); });
  };
  EXPECT_THAT(refusal({"b", "b", 1, 0, kRelu}),
              HasSubstr("operation b reads operation 1, which does not lie before it"));
  EXPECT_THAT(refusal({"b", "b", -1, 0, kRelu}), HasSubstr("which the first one reads"));
  EXPECT_THAT(refusal({"b", "b", 0, 0, Add{.from = 7}}), HasSubstr("reads operation 7"));
  EXPECT_THAT(refusal({"b", "b", 0, 0, Conv{.out_channels = 6, .groups = 3}}),
              HasSubstr("has 3 groups, which do not divide its 4 and 6 channels"));
  EXPECT_THAT(refusal({"b", "b", 0, 0, Conv{.out_channels = 0}}), HasSubstr("has a size below 1"));
  EXPECT_THAT(refusal({"b", "b", 0, 0, Dense{.units = 3}}), HasSubstr("a map that is not pooled"));
  EXPECT_THAT(refusal({"b", "b", 0, 0, Scale{.from = 0}}),
              HasSubstr("has another number of factors than of channels"));
  EXPECT_THAT(
      CaughtError([&] {
        Make(
            {first, {"b", "b", 0, 0, Conv{.out_channels = 5}}, {"sum", "b", 1, 0, Add{.from = 0}}});
      }),
      HasSubstr("operation sum adds maps of different shapes"));
}

TEST(Network, RefusesSegmentsThatCannotBeComputedOnceMoreAlone) {
  const Conv conv{.out_channels = 4};
  const auto refusal = [&](std::vector<Operation> operations) {
    return CaughtError([&] { Make(std::move(operations)); });
  };
  EXPECT_THAT(refusal({{"a", "a", -1, 1, conv}, {"b", "b", 0, 0, conv}}),
              HasSubstr("operation b has a lower number of its segment than the one before"));
  EXPECT_THAT(refusal({{"a", "a", -1, 0, conv}, {"b", "b", 0, 0, conv}, {"c", "c", 0, 1, conv}}),
              HasSubstr("operation c reads another map of an earlier segment than its last"));
}

}  // namespace
}  // namespace weir
