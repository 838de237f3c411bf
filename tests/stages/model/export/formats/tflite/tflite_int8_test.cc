// What a TensorFlow Lite file of a model in int8 is, by the specification of its bytes
// (ai.google.dev/edge/litert/models/quantization_spec).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/export/formats/tflite/tflite_format.h"
#include "stages/model/export/formats/tflite/tflite_fusing.h"
#include "tests/stages/model/export/formats/exported_graphs.h"
#include "tests/stages/model/export/formats/tflite/read_tflite.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatEq;

constexpr int kInt32 = 2, kUint8 = 3, kInt8 = 9;
constexpr int kAdd = 0, kConcatenation = 2, kConv2d = 3, kDequantize = 6, kMean = 40, kSplit = 49;
constexpr int kPadV2 = 60, kQuantize = 114;

ReadTflite Written(const InferenceGraph& graph, ExportInput input = ExportInput::kUint8) {
  return ParseTflite(FileOf(kTfliteFormat, graph, input));
}

std::vector<int> Codes(const ReadTflite& tflite, std::size_t from, std::size_t to) {
  std::vector<int> codes;
  for (std::size_t i = from; i < to; ++i) codes.push_back(tflite.operators.at(i).code);
  return codes;
}

TEST(TfliteInt8, ComputesTheBackboneInBytesAndTheHeadInNumbers) {
  const ReadTflite tflite = Written(Int8GraphOf(Small()));
  const std::size_t count = tflite.operators.size();
  EXPECT_EQ(Codes(tflite, 0, 1), std::vector<int>{kQuantize});
  EXPECT_EQ(Codes(tflite, count - 5, count - 3), (std::vector<int>{kDequantize, kMean}));
  for (std::size_t i = 1; i < count - 5; ++i) {
    const ReadTfliteOperator& call = tflite.operators[i];
    EXPECT_EQ(tflite.tensors.at(call.inputs.at(0)).type, kInt8);
    EXPECT_EQ(tflite.tensors.at(call.outputs.at(0)).type, kInt8);
    EXPECT_GE(call.version, call.code == kAdd ? 2 : 3);
  }
}

TEST(TfliteInt8, SaysWhatItsBytesStandFor) {
  const ReadTflite tflite = Written(Int8GraphOf(Small()));
  // Keras' preprocessing makes 0 of 127, or nearly.
  EXPECT_EQ(tflite.Tensor("images").type, kUint8);
  EXPECT_THAT(tflite.Tensor("images").scales, ElementsAre(1));
  EXPECT_THAT(tflite.Tensor("images").zeros, ElementsAre(127));
  EXPECT_THAT(tflite.Tensor("images_bytes").scales, ElementsAre(1));
  EXPECT_THAT(tflite.Tensor("images_bytes").zeros, ElementsAre(-1));
  // Behind a ReLU6 they are from 0 on, behind a projection on both sides of 0. What is made on the
  // way to a sum has the scale of the sum.
  EXPECT_THAT(tflite.Tensor("Conv1_relu").zeros, ElementsAre(-128));
  for (const char* name : {"expanded_conv_project", "block_2_project", "block_2_add"}) {
    EXPECT_THAT(tflite.Tensor(name).zeros, ElementsAre(0)) << name;
    EXPECT_THAT(tflite.Tensor(name).scales, ElementsAre(0.02f)) << name;
  }
}

TEST(TfliteInt8, HasKernelsInInt8AndBiasesInWhatTheirSumsCountIn) {
  const InferenceGraph graph = Int8GraphOf(Small());
  const ReadTflite tflite = Written(graph);
  int checked = 0;
  for (std::size_t i = 0; i < graph.operations().size(); ++i) {
    const inference::Operation& operation = graph.operations()[i];
    const auto* convolution = std::get_if<inference::Convolution>(&operation.kind);
    if (!convolution) continue;
    SCOPED_TRACE(operation.name);
    const ConstantValues values = graph.ReadConstants(static_cast<int>(i));
    const ReadTfliteTensor& kernel = tflite.Tensor(operation.constants[0].name);
    const ReadTfliteTensor& bias = tflite.Tensor(operation.constants[2].name);
    const bool is_depthwise = convolution->groups > 1;
    EXPECT_EQ(kernel.type, kInt8);
    EXPECT_EQ(kernel.axis, is_depthwise ? 3 : 0);
    EXPECT_EQ(kernel.scales, values[1]);
    EXPECT_EQ(kernel.zeros.size(), values[1].size());
    EXPECT_THAT(kernel.zeros, Each(0));
    const std::size_t outputs = values[1].size(), of_output = values[0].size() / outputs;
    EXPECT_EQ(kernel.Numbers<std::int8_t>().size(), values[0].size());
    // The first tap of the first input: of every output in turn where the outputs come last.
    for (std::size_t out = 0; out < outputs; ++out) {
      EXPECT_EQ(kernel.Numbers<std::int8_t>()[is_depthwise ? out : out * of_output],
                values[0][out * of_output]);
    }
    EXPECT_EQ(bias.type, kInt32);
    EXPECT_EQ(bias.axis, 0);
    const float from = operation.inputs[0] == inference::kPicture ? 1 : 0.02f;
    for (std::size_t out = 0; out < outputs; ++out) {
      EXPECT_THAT(bias.scales.at(out), FloatEq(from * kernel.scales[out]));
      EXPECT_NEAR(bias.Numbers<std::int32_t>().at(out), values[2][out] / bias.scales[out], 0.51);
    }
    ++checked;
  }
  EXPECT_EQ(checked, 52);
}

// Each channel of a picture has its own 0 by torchvision's means: 124, 116 and 104. The runtime
// takes 124 off all of them, so the bias makes up for the rest, inside the picture and around it.
TEST(TfliteInt8, PadsEachChannelWithItsOwnZero) {
  const InferenceGraph graph = Int8GraphOf(Small(Convention::Torchvision()));
  const ReadTflite tflite = Written(graph);
  EXPECT_THAT(tflite.Tensor("images").zeros, ElementsAre(124));
  EXPECT_EQ(Codes(tflite, 0, 7),
            (std::vector<int>{kQuantize, kSplit, kPadV2, kPadV2, kPadV2, kConcatenation, kConv2d}));
  const std::vector<int> wanted = {124 - 128, 116 - 128, 104 - 128};
  for (int c = 0; c < 3; ++c) {
    const ReadTfliteTensor& zero = tflite.Tensor("Conv1." + std::to_string(c) + ".zero");
    EXPECT_EQ(zero.Numbers<std::int8_t>().at(0), wanted[c]);
    EXPECT_THAT(zero.zeros, ElementsAre(-4)) << "it is a byte of the same kind as the picture's";
  }
  const ConstantValues values = graph.ReadConstants(0);
  const ReadTfliteTensor& bias = tflite.Tensor("features.0.0.bias");
  for (std::size_t out = 0; out < values[1].size(); ++out) {
    double units = values[2][out] / double{values[1][out]};
    for (int tap = 0; tap < 9; ++tap) {
      units -= values[0][out * 27 + 9 + tap] * (116 - 124);
      units -= values[0][out * 27 + 18 + tap] * (104 - 124);
    }
    EXPECT_NEAR(bias.Numbers<std::int32_t>().at(out), units, 0.6);
  }
}

TEST(TfliteInt8, IsFedBytesAlone) {
  EXPECT_EQ(CaughtError([] { Written(Int8GraphOf(Small()), ExportInput::kFloat); }),
            "--input float: a model in int8 reads the bytes of pictures\n"
            "Leave --input out, or add --precision float32.");
}

// A convolution, a sum, and a ReLU whose bytes have no sign.
TEST(TfliteInt8, RoundsOnTheWayToASumSoThatAllOfItFits) {
  using inference::Activation;
  using inference::Bytes;
  using inference::Convolution;
  using inference::Function;
  using inference::Operation;
  using inference::Sum;
  const auto made = [](std::vector<int> inputs, inference::Kind kind,
                       std::optional<Bytes> bytes = std::nullopt) {
    return Operation{.name = "one",
                     .inputs = std::move(inputs),
                     .kind = kind,
                     .constants = {},
                     .output = {},
                     .bytes = bytes};
  };
  const std::vector<Operation> operations = {
      made({-1}, Convolution{.is_int8 = true}, Bytes{0.5f}),
      made({0}, Convolution{.is_int8 = true}),
      made({1, 0}, Sum{}),
      made({2}, Activation{Function::kRelu}, Bytes{0.5f, true}),
  };
  const TfliteFusing fusing(operations);
  EXPECT_EQ(fusing.bytes(0).scale, 0.5f);
  EXPECT_EQ(fusing.bytes(1).scale, 1);
  EXPECT_FALSE(fusing.bytes(1).is_unsigned);
  EXPECT_TRUE(fusing.is_fused(3));
  EXPECT_EQ(fusing.end(2), 3);
}

}  // namespace
}  // namespace weir
