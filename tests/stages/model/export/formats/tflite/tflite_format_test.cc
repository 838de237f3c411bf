#include "stages/model/export/formats/tflite/tflite_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "stages/model/export/formats/tflite/tflite_metadata.h"
#include "stages/model/weights/containers/zip_directory.h"
#include "tests/stages/model/export/formats/exported_graphs.h"
#include "tests/stages/model/export/formats/tflite/read_tflite.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::HasSubstr;
using testing::IsEmpty;

// Types of tensors, and codes of operators, by their numbers in the schema.
constexpr int kFloat32 = 0, kUint8 = 3;
constexpr int kAdd = 0, kConv2d = 3, kDepthwise = 4, kDense = 9, kMaxPool = 17, kMul = 18;
constexpr int kReshape = 22, kSoftmax = 25, kPad = 34, kMean = 40, kCast = 53, kPadV2 = 60;
constexpr int kSame = 0, kValid = 1, kNoActivation = 0, kRelu = 1, kRelu6 = 3;

ReadTflite Written(const InferenceGraph& graph, ExportInput input = ExportInput::kUint8) {
  return ParseTflite(FileOf(kTfliteFormat, graph, input));
}

std::vector<int> Codes(const ReadTflite& tflite, std::size_t from, std::size_t to) {
  std::vector<int> codes;
  for (std::size_t i = from; i < to; ++i) codes.push_back(tflite.operators.at(i).code);
  return codes;
}

// The numbers of an operator's options at those places, of one byte or of four.
std::vector<int> Bytes(const ReadTfliteOperator& call, const std::vector<int>& fields) {
  std::vector<int> numbers;
  for (const int field : fields) numbers.push_back(call.options.at(0).Get<std::int8_t>(field));
  return numbers;
}
std::vector<int> Numbers(const ReadTfliteOperator& call, const std::vector<int>& fields) {
  std::vector<int> numbers;
  for (const int field : fields) numbers.push_back(call.options.at(0).Get<std::int32_t>(field));
  return numbers;
}

TEST(TfliteFormat, SaysWhatItIsOf) {
  const std::string file = FileOf(kTfliteFormat, GraphOf(Small()));
  const ReadTflite tflite = ParseTflite(file);
  EXPECT_EQ(tflite.version, 3);
  EXPECT_EQ(tflite.description,
            "RGB pictures of 64 x 96 pixels in bytes, [N, H, W, 3]; inside, each byte x becomes x "
            "* 0.00784314 - 1");
  EXPECT_EQ(tflite.metadata.at("weir_version"), "1.2.3");
  EXPECT_EQ(tflite.metadata.at("weights_sha256"), "abc");
  EXPECT_EQ(tflite.metadata.size(), 3);
  ASSERT_EQ(tflite.signatures.size(), 1);
  const FlatRead& signature = tflite.signatures[0];
  EXPECT_EQ(signature.Text(2), "serving_default");
  EXPECT_EQ(signature.Tables(0).at(0).Text(0), "images");
  EXPECT_EQ(signature.Tables(1).at(0).Text(0), "probabilities");
  EXPECT_THAT(tflite.outputs, ElementsAre(signature.Tables(1)[0].Get<std::uint32_t>(1)));
  const ZipDirectory archive(std::as_bytes(std::span(file)), "it");
  const ZipEntry* labels = archive.Find("labels.txt");
  ASSERT_NE(labels, nullptr);
  EXPECT_TRUE(labels->Intact());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(labels->bytes.data()), labels->bytes.size()),
            "ants\nb\"ees\n");
}

TEST(TfliteFormat, KeepsALabelOnOneLine) {
  const auto classes = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"two\nlines\r", "caf\xe9"});
  ModelConfig config;
  config.head = kUsualHead;
  EXPECT_EQ(TfliteLabelsOf(Model(config, Small(), classes, 1)), "two lines \ncaf\xef\xbf\xbd\n");
}

// The tensors' parts of TFLITE_METADATA: the only subgraph's inputs, or its outputs.
FlatRead TensorMetadata(const ReadTflite& tflite, int field) {
  const FlatRead metadata = FlatRead::Root(tflite.metadata.at("TFLITE_METADATA"), "M001");
  return metadata.Tables(3).at(0).Tables(field).at(0);
}

TEST(TfliteFormat, TellsTheTaskLibraryWhatToFeedAndWhereTheLabelsAre) {
  const InferenceGraph graph = GraphOf(Small(Convention::Torchvision()));
  const ReadTflite bytes = Written(graph);
  const FlatRead output = TensorMetadata(bytes, 3);
  const FlatRead labels = output.Tables(6).at(0);
  EXPECT_EQ(labels.Text(0), "labels.txt");
  EXPECT_EQ(labels.Get<std::int8_t>(2), 2) << "TENSOR_AXIS_LABELS";
  const FlatRead metadata = FlatRead::Root(bytes.metadata.at("TFLITE_METADATA"), "M001");
  EXPECT_THAT(metadata.Text(1), HasSubstr("weir 1.2.3 trained. Its weights have the sha256 abc"));

  const FlatRead of_bytes = TensorMetadata(bytes, 2);
  EXPECT_EQ(of_bytes.Table(3).Get<std::uint8_t>(0), 2) << "ImageProperties";
  EXPECT_EQ(of_bytes.Table(3).Table(1).Get<std::int8_t>(0), 1) << "RGB";
  const FlatRead unit = of_bytes.Tables(4).at(0);
  EXPECT_EQ(unit.Get<std::uint8_t>(0), 1) << "NormalizationOptions";
  EXPECT_THAT(unit.Table(1).Numbers<float>(0), ElementsAre(0));
  EXPECT_THAT(unit.Table(1).Numbers<float>(1), ElementsAre(1));
  EXPECT_THAT(of_bytes.Table(5).Numbers<float>(0), ElementsAre(255));

  // torchvision's means and deviations, in bytes.
  const FlatRead of_numbers = TensorMetadata(Written(graph, ExportInput::kFloat), 2);
  const FlatRead normalization = of_numbers.Tables(4).at(0).Table(1);
  EXPECT_THAT(normalization.Numbers<float>(0),
              ElementsAre(FloatNear(0.485 * 255, 1e-3), FloatNear(0.456 * 255, 1e-3),
                          FloatNear(0.406 * 255, 1e-3)));
  EXPECT_THAT(normalization.Numbers<float>(1),
              ElementsAre(FloatNear(0.229 * 255, 1e-3), FloatNear(0.224 * 255, 1e-3),
                          FloatNear(0.225 * 255, 1e-3)));
  EXPECT_THAT(of_numbers.Text(1), HasSubstr("[N, H, W, 3], of which each byte x was made"));

  // Keras' are one number for all channels, and are written as one.
  const FlatRead one = TensorMetadata(Written(GraphOf(Small()), ExportInput::kFloat), 2);
  EXPECT_THAT(one.Tables(4).at(0).Table(1).Numbers<float>(0), ElementsAre(FloatNear(127.5, 1e-3)));
  EXPECT_THAT(one.Tables(4).at(0).Table(1).Numbers<float>(1), ElementsAre(FloatNear(127.5, 1e-3)));
  EXPECT_THAT(one.Table(5).Numbers<float>(1), ElementsAre(-1));
}

TEST(TfliteFormat, IsFedBytesOrNumbersOfOneOrSeveralPictures) {
  const InferenceGraph graph = GraphOf(Small());
  const ReadTflite bytes = Written(graph);
  EXPECT_THAT(bytes.NamesOf(bytes.inputs), ElementsAre("images"));
  const ReadTfliteTensor& images = bytes.Tensor("images");
  EXPECT_EQ(images.type, kUint8);
  EXPECT_THAT(images.shape, ElementsAre(1, 64, 96, 3));
  EXPECT_THAT(images.signature, ElementsAre(-1, 64, 96, 3));
  EXPECT_THAT(images.scales, IsEmpty());
  EXPECT_THAT(Codes(bytes, 0, 4), ElementsAre(kCast, kMul, kAdd, kConv2d));
  EXPECT_THAT(bytes.Tensor("preprocessing.scale").Numbers<float>(),
              ElementsAre(FloatEq(1 / 127.5f), FloatEq(1 / 127.5f), FloatEq(1 / 127.5f)));
  const ReadTfliteTensor& probabilities = bytes.tensors.at(bytes.outputs.at(0));
  EXPECT_EQ(probabilities.name, "probabilities");
  EXPECT_EQ(probabilities.type, kFloat32);
  EXPECT_THAT(probabilities.signature, ElementsAre(-1, 2));

  const ReadTflite numbers = Written(graph, ExportInput::kFloat);
  EXPECT_EQ(numbers.Tensor("images").type, kFloat32);
  EXPECT_THAT(numbers.Tensor("images").shape, ElementsAre(1, 64, 96, 3));
  EXPECT_THAT(Codes(numbers, 0, 2), ElementsAre(kConv2d, kDepthwise));
}

TEST(TfliteFormat, HasTheOperatorsOfTheGraphWithWhatTheyTake) {
  const ReadTflite tflite = Written(GraphOf(Small()));
  // A ReLU6 is in the convolution before it, so what that makes is called as the function is.
  const ReadTfliteOperator& first = tflite.Making("Conv1_relu");
  EXPECT_EQ(first.options_type, 1);
  EXPECT_THAT(Bytes(first, {0, 3}), ElementsAre(kSame, kRelu6));
  EXPECT_THAT(Numbers(first, {1, 2, 4, 5}), ElementsAre(2, 2, 1, 1));
  EXPECT_THAT(tflite.NamesOf(first.inputs),
              ElementsAre("images_preprocessed", "features.0.0.weight", "features.0.0.bias"));
  EXPECT_THAT(tflite.Tensor("features.0.0.weight").shape, ElementsAre(16, 3, 3, 3));
  EXPECT_THAT(tflite.Tensor("features.0.0.weight").signature, IsEmpty());

  const ReadTfliteOperator& depthwise = tflite.Making("block_1_depthwise_relu");
  EXPECT_EQ(depthwise.code, kDepthwise);
  EXPECT_EQ(depthwise.options_type, 2);
  EXPECT_THAT(Bytes(depthwise, {0, 4}), ElementsAre(kSame, kRelu6));
  EXPECT_THAT(Numbers(depthwise, {1, 2, 3, 5, 6}), ElementsAre(2, 2, 1, 1, 1));
  EXPECT_THAT(tflite.tensors.at(depthwise.inputs.at(1)).shape, ElementsAre(1, 3, 3, 48));

  const ReadTfliteOperator& sum = tflite.Making("block_2_add");
  EXPECT_EQ(sum.code, kAdd);
  EXPECT_EQ(sum.version, 1);
  EXPECT_THAT(Bytes(sum, {0}), ElementsAre(kNoActivation));
  const std::size_t count = tflite.operators.size();
  EXPECT_THAT(Codes(tflite, count - 4, count), ElementsAre(kMean, kReshape, kDense, kSoftmax));
  const ReadTfliteOperator& mean = tflite.Making("head.0");
  EXPECT_THAT(tflite.tensors.at(mean.inputs.at(1)).Numbers<std::int32_t>(), ElementsAre(1, 2));
  EXPECT_EQ(mean.options.at(0).Get<std::uint8_t>(0), 1) << "it keeps the rows and columns";
  EXPECT_THAT(tflite.Tensor("head.0.flatten.shape").Numbers<std::int32_t>(), ElementsAre(-1, 1280));
  EXPECT_THAT(tflite.Tensor("head.1.weight").shape, ElementsAre(2, 1280));
  EXPECT_EQ(tflite.Making("probabilities").options.at(0).Get<float>(0), 1);
}

TEST(TfliteFormat, PadsByItselfWhereSameWouldPadElsewhere) {
  const ReadTflite tflite = Written(GraphOf(Small(Convention::Torchvision())));
  const ReadTfliteOperator& pad = tflite.operators.at(3);
  EXPECT_EQ(pad.code, kPad);
  EXPECT_THAT(tflite.tensors.at(pad.inputs.at(1)).shape, ElementsAre(4, 2));
  EXPECT_THAT(tflite.tensors.at(pad.inputs.at(1)).Numbers<std::int32_t>(),
              ElementsAre(0, 0, 1, 1, 1, 1, 0, 0));
  EXPECT_THAT(tflite.tensors.at(pad.outputs.at(0)).shape, ElementsAre(1, 66, 98, 3));
  EXPECT_THAT(Bytes(tflite.Making("Conv1_relu"), {0}), ElementsAre(kValid));
  // At a stride of 1 both conventions pad alike; a kernel of one pixel has nothing around it.
  EXPECT_THAT(Bytes(tflite.Making("expanded_conv_depthwise_relu"), {0}), ElementsAre(kSame));
  EXPECT_THAT(Bytes(tflite.Making("expanded_conv_project"), {0}), ElementsAre(kValid));
}

// The kernel [out, in, k, k] of a convolution with the channels last.
std::vector<float> Turned(const std::vector<float>& kernel, const Shape& shape, bool is_depthwise) {
  std::vector<float> turned;
  const std::int64_t outputs = shape[0], inputs = shape[1], taps = shape[2] * shape[3];
  const auto at = [&](std::int64_t out, std::int64_t in, std::int64_t tap) {
    return kernel.at((out * inputs + in) * taps + tap);
  };
  if (is_depthwise) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t out = 0; out < outputs; ++out) turned.push_back(at(out, 0, tap));
    }
    return turned;
  }
  for (std::int64_t out = 0; out < outputs; ++out) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t in = 0; in < inputs; ++in) turned.push_back(at(out, in, tap));
    }
  }
  return turned;
}

TEST(TfliteFormat, HasTheConstantsOfTheGraphWithTheChannelsLast) {
  for (const DrawnNetwork& drawn : DrawnNetworks(Convention::Torchvision())) {
    SCOPED_TRACE(drawn.name);
    const InferenceGraph graph = GraphOf(drawn.backbone);
    const ReadTflite tflite = Written(graph);
    for (std::size_t i = 0; i < graph.operations().size(); ++i) {
      const inference::Operation& operation = graph.operations()[i];
      const ConstantValues values = graph.ReadConstants(static_cast<int>(i));
      for (std::size_t c = 0; c < values.size(); ++c) {
        const inference::Constant& constant = operation.constants[c];
        const auto* convolution = std::get_if<inference::Convolution>(&operation.kind);
        const bool is_depthwise = convolution && convolution->groups == 16;
        EXPECT_EQ(tflite.Tensor(constant.name).Numbers<float>(),
                  constant.shape.size() == 4 ? Turned(values[c], constant.shape, is_depthwise)
                                             : values[c])
            << constant.name;
      }
    }
  }
}

TEST(TfliteFormat, ReadsNothingThatDoesNotLieBefore) {
  for (const DrawnNetwork& drawn : DrawnNetworks(Convention::Keras())) {
    SCOPED_TRACE(drawn.name);
    for (const bool keeps : {false, true}) {
      const ReadTflite tflite = Written(
          GraphOf(drawn.backbone,
                  {HeadBatchNorm(), HeadFlatten(), HeadBatchNorm(), HeadDense(3, Activation::kTanh),
                   HeadDense(3, Activation::kRelu), HeadDenseOfClasses()},
                  keeps));
      std::map<std::string, int> known = {{"images", 0}};
      for (const ReadTfliteTensor& tensor : tflite.tensors) {
        if (!tensor.is_constant) continue;
        EXPECT_TRUE(known.emplace(tensor.name, 0).second) << tensor.name;
      }
      for (const ReadTfliteOperator& call : tflite.operators) {
        for (const std::string& input : tflite.NamesOf(call.inputs)) {
          EXPECT_TRUE(known.contains(input)) << input << " is not known yet";
          ++known[input];
        }
        for (const std::string& output : tflite.NamesOf(call.outputs)) {
          EXPECT_TRUE(known.emplace(output, 0).second) << output;
        }
      }
      known.erase("probabilities");
      for (const auto& [name, readers] : known) EXPECT_GT(readers, 0) << name << " is of no use";
      EXPECT_EQ(known.size(), tflite.tensors.size() - 1);
    }
  }
}

ReadTflite WrittenOf(const std::string& name, const Convention& convention) {
  for (const DrawnNetwork& drawn : DrawnNetworks(convention)) {
    if (drawn.name == name) return Written(GraphOf(drawn.backbone));
  }
  throw std::runtime_error("no network " + name);
}

int CountOf(const ReadTflite& tflite, int code) {
  return static_cast<int>(std::ranges::count(tflite.operators, code, &ReadTfliteOperator::code));
}

TEST(TfliteFormat, PadsAMaximumWithWhatIsNeverTheLargest) {
  const ReadTflite keras = WrittenOf("a max pool", Convention::Keras());
  EXPECT_EQ(CountOf(keras, kMaxPool), 1);
  EXPECT_EQ(CountOf(keras, kPadV2), 0);
  const ReadTflite torchvision = WrittenOf("a max pool", Convention::Torchvision());
  EXPECT_EQ(CountOf(torchvision, kPadV2), 1);
  EXPECT_THAT(torchvision.Tensor("op_2.lowest").Numbers<float>(),
              ElementsAre(std::numeric_limits<float>::lowest()));
}

TEST(TfliteFormat, LeavesAFunctionByItselfWhereAnotherReadsWhatIsBeforeIt) {
  const ReadTflite fused = WrittenOf("add, then activate", Convention::Keras());
  EXPECT_THAT(Bytes(fused.Making("op_6"), {0}), ElementsAre(kRelu));
  EXPECT_EQ(fused.Making("op_6").code, kAdd);
  // A convolution's own ReLU, whose map is read twice behind it, is fused all the same.
  EXPECT_THAT(Bytes(fused.Making("op_1"), {3}), ElementsAre(kRelu));
}

TEST(TfliteFormat, RefusesWhatIsTooLargeForAFileBeforeItReadsTheWeights) {
  const Backbone backbone = MobileNetV2(0.35, {320, 320}, Convention::Keras());
  const InferenceGraph graph =
      GraphOf(backbone, {HeadFlatten(), HeadDense(6000, Activation::kRelu), HeadDenseOfClasses()});
  EXPECT_EQ(CaughtError([&] { FileOf(kTfliteFormat, graph); }),
            "this model takes 2.86 GiB, and a TensorFlow Lite file holds less than 2 GiB\n"
            "Train it with a smaller head: pool before the dense layers.");
}

}  // namespace
}  // namespace weir
