// The fields of the tables in a TensorFlow Lite file by their places in schema.fbs (version 3;
// github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs),
// and in the metadata inside it by those in metadata_schema.fbs
// (github.com/tensorflow/tflite-support), as far as weir writes them.
#pragma once

#include <cstdint>

namespace weir::tflite {

enum class ModelField : std::uint16_t {
  kVersion = 0,
  kOperatorCodes = 1,
  kSubgraphs = 2,
  kDescription = 3,
  kBuffers = 4,
  kMetadata = 6,
  kSignatures = 7,
};

enum class OperatorCodeField : std::uint16_t { kOldCode = 0, kVersion = 2, kCode = 3 };

enum class SubgraphField : std::uint16_t {
  kTensors = 0,
  kInputs = 1,
  kOutputs = 2,
  kOperators = 3,
  kName = 4,
};

enum class TensorField : std::uint16_t {
  kShape = 0,
  kType = 1,
  kBuffer = 2,
  kName = 3,
  kQuantization = 4,
  kShapeSignature = 7,
};

enum class QuantizationField : std::uint16_t { kScale = 2, kZeroPoint = 3, kDimension = 6 };

enum class OperatorField : std::uint16_t {
  kCode = 0,
  kInputs = 1,
  kOutputs = 2,
  kOptionsType = 3,
  kOptions = 4,
};

enum class BufferField : std::uint16_t { kData = 0 };

enum class MetadataField : std::uint16_t { kName = 0, kBuffer = 1 };

enum class SignatureField : std::uint16_t { kInputs = 0, kOutputs = 1, kKey = 2, kSubgraph = 4 };

enum class TensorMapField : std::uint16_t { kName = 0, kTensor = 1 };

enum class TensorType : std::int8_t { kFloat = 0, kInt32 = 2, kUint8 = 3, kInt8 = 9 };

enum class Operator : std::int32_t {
  kAdd = 0,
  kConcatenation = 2,
  kConv2d = 3,
  kDepthwiseConv2d = 4,
  kDequantize = 6,
  kFullyConnected = 9,
  kLogistic = 14,
  kMaxPool2d = 17,
  kMul = 18,
  kRelu = 19,
  kRelu6 = 21,
  kReshape = 22,
  kSoftmax = 25,
  kTanh = 28,
  kPad = 34,
  kMean = 40,
  kSplit = 49,
  kCast = 53,
  kPadV2 = 60,
  kReduceMax = 82,
  kQuantize = 114,
  kHardSwish = 117,
};

enum class OptionsType : std::uint8_t {
  kNone = 0,
  kConv2d = 1,
  kDepthwiseConv2d = 2,
  kPool2d = 5,
  kFullyConnected = 8,
  kSoftmax = 9,
  kConcatenation = 10,
  kAdd = 11,
  kMul = 21,
  kReducer = 27,
  kSplit = 35,
};

enum class Conv2dField : std::uint16_t {
  kPadding = 0,
  kStrideWidth = 1,
  kStrideHeight = 2,
  kActivation = 3,
  kDilationWidth = 4,
  kDilationHeight = 5,
};

enum class DepthwiseConv2dField : std::uint16_t {
  kPadding = 0,
  kStrideWidth = 1,
  kStrideHeight = 2,
  kDepthMultiplier = 3,
  kActivation = 4,
  kDilationWidth = 5,
  kDilationHeight = 6,
};

enum class Pool2dField : std::uint16_t {
  kPadding = 0,
  kStrideWidth = 1,
  kStrideHeight = 2,
  kFilterWidth = 3,
  kFilterHeight = 4,
};

enum class ConcatenationField : std::uint16_t { kAxis = 0 };
enum class FullyConnectedField : std::uint16_t { kActivation = 0 };
enum class AddField : std::uint16_t { kActivation = 0 };
enum class MulField : std::uint16_t { kActivation = 0 };
enum class ReducerField : std::uint16_t { kKeepDims = 0 };
enum class SoftmaxField : std::uint16_t { kBeta = 0 };
enum class SplitField : std::uint16_t { kSplits = 0 };

enum class Padding : std::int8_t { kSame = 0, kValid = 1 };

enum class FusedActivation : std::int8_t { kNone = 0, kRelu = 1, kRelu6 = 3 };

// The metadata.
enum class ModelMetadataField : std::uint16_t {
  kName = 0,
  kDescription = 1,
  kVersion = 2,
  kSubgraphs = 3,
  kMinParserVersion = 7,
};

enum class SubgraphMetadataField : std::uint16_t { kInputs = 2, kOutputs = 3 };

enum class TensorMetadataField : std::uint16_t {
  kName = 0,
  kDescription = 1,
  kContent = 3,
  kProcessUnits = 4,
  kStats = 5,
  kFiles = 6,
};

enum class ContentField : std::uint16_t { kPropertiesType = 0, kProperties = 1 };
enum class ContentType : std::uint8_t { kFeature = 1, kImage = 2 };
enum class ImageField : std::uint16_t { kColorSpace = 0 };
enum class ColorSpace : std::int8_t { kRgb = 1 };

enum class ProcessUnitField : std::uint16_t { kOptionsType = 0, kOptions = 1 };
enum class ProcessUnitType : std::uint8_t { kNormalization = 1 };
enum class NormalizationField : std::uint16_t { kMean = 0, kStd = 1 };

enum class StatsField : std::uint16_t { kMax = 0, kMin = 1 };

enum class FileField : std::uint16_t { kName = 0, kDescription = 1, kType = 2 };
enum class FileType : std::int8_t { kTensorAxisLabels = 2 };

}  // namespace weir::tflite
