#include "stages/model/export/formats/onnx/onnx_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/export/formats/encoded_constants.h"
#include "stages/model/export/formats/onnx/onnx_graph.h"
#include "tests/stages/model/export/formats/exported_graphs.h"
#include "tests/stages/model/export/formats/onnx/read_onnx.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;
using Attributes = std::map<std::string, std::string>;

ReadOnnx Written(const InferenceGraph& graph, ExportInput input = ExportInput::kUint8) {
  return ParseOnnx(FileOf(kOnnxFormat, graph, input));
}

std::vector<std::string> OpTypes(const ReadOnnx& onnx, std::size_t from, std::size_t to) {
  std::vector<std::string> types;
  for (std::size_t i = from; i < to; ++i) types.push_back(onnx.nodes.at(i).op_type);
  return types;
}

const ReadNode& Find(const ReadOnnx& onnx, const std::string& name) {
  const auto found = std::ranges::find(onnx.nodes, name, &ReadNode::name);
  if (found == onnx.nodes.end()) throw std::runtime_error("no node " + name);
  return *found;
}

TEST(OnnxFormat, SaysWhatItIsOf) {
  const ReadOnnx onnx = Written(GraphOf(Small()));
  EXPECT_EQ(onnx.ir_version, 8);
  EXPECT_EQ(onnx.opset, 18);
  EXPECT_EQ(onnx.producer, "weir");
  EXPECT_EQ(onnx.producer_version, "1.2.3");
  EXPECT_EQ(onnx.graph, "mobilenet_v2");
  const std::string preprocessing =
      "RGB pictures of 64 x 96 pixels in bytes, [N, H, W, 3]; inside, each byte x becomes x * "
      "0.00784314 - 1";
  EXPECT_EQ(onnx.doc, preprocessing);
  EXPECT_THAT(onnx.metadata,
              ElementsAre(Pair("backbone", "mobilenet_v2, width 1.0"),
                          Pair("classes", R"(["ants","b\"ees"])"), Pair("precision", "float32"),
                          Pair("preprocessing", preprocessing), Pair("weights_sha256", "abc"),
                          Pair("weir_version", "1.2.3")));
}

TEST(OnnxFormat, IsFedBytesPicturesOfAnySizeOrNumbers) {
  const InferenceGraph graph = GraphOf(Small(Convention::Torchvision()));
  const ReadOnnx bytes = Written(graph);
  EXPECT_THAT(bytes.inputs, ElementsAre(Pair("images", "2 [N, 64, 96, 3]")));
  EXPECT_THAT(bytes.outputs, ElementsAre(Pair("probabilities", "1 [N, 2]")));
  EXPECT_THAT(OpTypes(bytes, 0, 6), ElementsAre("Transpose", "Cast", "Mul", "Add", "Conv", "Clip"));
  EXPECT_THAT(bytes.tensors.at("preprocessing.scale").shape, ElementsAre(1, 3, 1, 1));

  const ReadOnnx any = Written(graph, ExportInput::kAnySize);
  EXPECT_THAT(any.inputs, ElementsAre(Pair("images", "2 [N, height, width, 3]")));
  EXPECT_THAT(OpTypes(any, 0, 7),
              ElementsAre("Cast", "Resize", "Round", "Transpose", "Mul", "Add", "Conv"));
  EXPECT_EQ(any.nodes[1].attributes, (Attributes{{"antialias", "1"},
                                                 {"axes", "1 2"},
                                                 {"coordinate_transformation_mode", "half_pixel"},
                                                 {"exclude_outside", "1"},
                                                 {"mode", "linear"}}));
  EXPECT_THAT(any.nodes[1].inputs, ElementsAre("images_float", "", "", "images_size"));
  EXPECT_THAT(any.doc, HasSubstr("resized to 64 x 96 pixels"));

  const ReadOnnx floats = Written(graph, ExportInput::kFloat);
  EXPECT_THAT(floats.inputs, ElementsAre(Pair("images", "1 [N, 3, 64, 96]")));
  EXPECT_THAT(OpTypes(floats, 0, 2), ElementsAre("Conv", "Clip"));
  EXPECT_THAT(floats.doc, HasSubstr("of which each byte x was made x * [0.0171248, 0.01"));
}

TEST(OnnxFormat, HasTheNodesOfTheGraphWithWhatTheyTake) {
  const InferenceGraph graph = GraphOf(Small());
  const ReadOnnx onnx = Written(graph);
  EXPECT_EQ(Find(onnx, "Conv1").attributes, (Attributes{{"dilations", "1 1"},
                                                        {"group", "1"},
                                                        {"kernel_shape", "3 3"},
                                                        {"pads", "0 0 1 1"},
                                                        {"strides", "2 2"}}));
  EXPECT_THAT(Find(onnx, "Conv1").inputs,
              ElementsAre("images_preprocessed", "features.0.0.weight", "features.0.0.bias"));
  EXPECT_EQ(Find(onnx, "block_1_depthwise").attributes.at("group"), "48");
  EXPECT_THAT(Find(onnx, "Conv1_relu").inputs, ElementsAre("Conv1", "zero", "six"));
  EXPECT_THAT(Find(onnx, "block_2_add").inputs.size(), 2);
  const std::size_t count = onnx.nodes.size();
  EXPECT_THAT(OpTypes(onnx, count - 4, count),
              ElementsAre("GlobalAveragePool", "Flatten", "Gemm", "Softmax"));
  EXPECT_EQ(Find(onnx, "head.1").attributes, (Attributes{{"transB", "1"}}));
  EXPECT_THAT(onnx.tensors.at("six").shape, ElementsAre());
  EXPECT_THAT(onnx.tensors.at("six").floats(), ElementsAre(6));

  for (std::size_t i = 0; i < graph.operations().size(); ++i) {
    const inference::Operation& operation = graph.operations()[i];
    const ConstantValues values = graph.ReadConstants(static_cast<int>(i));
    for (std::size_t c = 0; c < values.size(); ++c) {
      const ReadTensor& tensor = onnx.tensors.at(operation.constants[c].name);
      EXPECT_EQ(tensor.shape, operation.constants[c].shape);
      EXPECT_EQ(tensor.type, 1);
      EXPECT_EQ(tensor.floats(), values[c]) << operation.constants[c].name;
    }
  }
}

TEST(OnnxFormat, ReadsNothingThatDoesNotLieBefore) {
  for (const DrawnNetwork& drawn : DrawnNetworks(Convention::Keras())) {
    SCOPED_TRACE(drawn.name);
    for (const bool keeps : {false, true}) {
      const ReadOnnx onnx = Written(GraphOf(drawn.backbone,
                                            {HeadBatchNorm(), HeadFlatten(), HeadBatchNorm(),
                                             HeadDense(3, Activation::kTanh), HeadDenseOfClasses()},
                                            keeps));
      std::map<std::string, int> known = {{"images", 0}};
      for (const auto& [name, tensor] : onnx.tensors) {
        EXPECT_TRUE(known.emplace(name, 0).second) << name;
      }
      for (const ReadNode& node : onnx.nodes) {
        for (const std::string& input : node.inputs) {
          EXPECT_TRUE(known.contains(input)) << node.name << " reads " << input;
          ++known[input];
        }
        ASSERT_EQ(node.outputs.size(), 1);
        EXPECT_TRUE(known.emplace(node.outputs[0], 0).second) << node.outputs[0];
      }
      known.erase("probabilities");
      for (const auto& [name, readers] : known) EXPECT_GT(readers, 0) << name << " is of no use";
    }
  }
}

TEST(OnnxFormat, FlattensRowsBeforeChannelsAsKerasDoes) {
  const ReadOnnx onnx = Written(GraphOf(Small(), {HeadFlatten(), HeadDenseOfClasses()}));
  EXPECT_EQ(Find(onnx, "head.0.channels_last").attributes, (Attributes{{"perm", "0 2 3 1"}}));
  EXPECT_THAT(Find(onnx, "head.0").inputs, ElementsAre("head.0.channels_last"));
}

TEST(OnnxFormat, KeepsBatchNormsWhereTheGraphDoes) {
  const ReadOnnx onnx = Written(GraphOf(Small(), kUsualHead, true));
  const ReadNode& norm = Find(onnx, "features.0.1");
  EXPECT_EQ(norm.op_type, "BatchNormalization");
  EXPECT_THAT(norm.inputs, ElementsAre("Conv1", "features.0.1.weight", "features.0.1.bias",
                                       "features.0.1.running_mean", "features.0.1.running_var"));
  EXPECT_EQ(norm.attributes, (Attributes{{"epsilon", "0.001"}}));
  EXPECT_EQ(std::ranges::count(onnx.nodes, "BatchNormalization", &ReadNode::op_type), 52);
}

TEST(OnnxFormat, WritesBytesAboutTheFloatOperationsOfAModelInInt8) {
  const ReadOnnx onnx = Written(Int8GraphOf(Small()));
  EXPECT_EQ(onnx.metadata.at("precision"), "int8");
  EXPECT_THAT(OpTypes(onnx, 0, 8),
              ElementsAre("Transpose", "DequantizeLinear", "DequantizeLinear", "DequantizeLinear",
                          "Conv", "QuantizeLinear", "DequantizeLinear", "DequantizeLinear"));
  EXPECT_EQ(onnx.tensors.at("images_zero").values, std::string(1, 127));
  EXPECT_EQ(onnx.tensors.at("features.0.0.weight").type, 3);
  EXPECT_EQ(onnx.tensors.at("features.0.0.weight").values.size(), 16 * 27);
  EXPECT_EQ(onnx.tensors.at("features.0.0.bias").type, 6);
  EXPECT_EQ(std::ranges::count(onnx.nodes, "Clip", &ReadNode::op_type), 0)
      << "the bytes end where it would cut off";
  // Behind a ReLU6 they are from 0 on, behind a projection on both sides of 0.
  EXPECT_THAT(Find(onnx, "Conv1.bytes").inputs, ElementsAre("Conv1", "Conv1.scale", "byte_zero"));
  EXPECT_THAT(Find(onnx, "block_2_add.bytes").inputs,
              ElementsAre("block_2_add", "block_2_add.scale", "signed_byte_zero"));
  EXPECT_EQ(onnx.tensors.at("signed_byte_zero").values, std::string(1, '\x80'));
  EXPECT_EQ(std::ranges::count(onnx.nodes, "QuantizeLinear", &ReadNode::op_type), 52);

  const ReadOnnx by_channel = Written(Int8GraphOf(Small(Convention::Torchvision())));
  EXPECT_EQ(by_channel.tensors.at("images_zero").values, "\x7c\x74\x68");
  EXPECT_EQ(Find(by_channel, "images_centred").attributes, (Attributes{{"axis", "1"}}));
  EXPECT_EQ(CaughtError([] { Written(Int8GraphOf(Small()), ExportInput::kFloat); }),
            "--input float: a model in int8 reads the bytes of pictures\n"
            "Leave --input out, or add --precision float32.");
}

TEST(OnnxFormat, GivesAKernelThatIsAllButZeroAScaleThatItsBiasFits) {
  const ConstantValues constants = {{127, -64, 127, 0}, {0.01f, 1e-30f}, {0.5f, -3}};
  const EncodedConstants encoded = EncodeInt8(constants, 0.02f);
  const auto number = [&encoded](std::size_t constant, std::size_t index, auto type) {
    std::memcpy(&type, encoded.at(constant).data() + index * sizeof type, sizeof type);
    return type;
  };
  EXPECT_EQ(number(0, 0, std::int8_t{}), 127);
  EXPECT_EQ(number(0, 1, std::int8_t{}), -64);
  EXPECT_EQ(number(2, 0, std::int32_t{}), 2500);
  EXPECT_EQ(number(0, 2, std::int8_t{}), 0);
  EXPECT_NEAR(number(2, 1, std::int32_t{}) * double{number(3, 1, float{})}, -3, 1e-6);
}

TEST(OnnxFormat, RefusesWhatIsTooLargeForAFileBeforeItReadsTheWeights) {
  const Backbone backbone = MobileNetV2(0.35, {320, 320}, Convention::Keras());
  const InferenceGraph graph =
      GraphOf(backbone, {HeadFlatten(), HeadDense(6000, Activation::kRelu), HeadDenseOfClasses()});
  const ScratchFolder folder;
  AtomicFile file(folder / "model.onnx");
  EXPECT_EQ(CaughtError([&] { kOnnxFormat.write({.graph = graph}, file); }),
            "this model takes 2.86 GiB, and an ONNX file holds less than 2 GiB\n"
            "Train it with a smaller head: pool before the dense layers.");
}

}  // namespace
}  // namespace weir
