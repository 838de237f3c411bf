// The fields of the messages in an ONNX file, by their numbers in onnx.proto3
// (github.com/onnx/onnx/blob/main/onnx/onnx.proto3), as far as weir writes them.
#pragma once

#include <cstdint>
#include <protozero/types.hpp>

namespace weir::onnx {

using protozero::pbf_tag_type;

enum class ModelField : pbf_tag_type {
  kIrVersion = 1,
  kProducerName = 2,
  kProducerVersion = 3,
  kDocString = 6,
  kGraph = 7,
  kOpsetImport = 8,
  kMetadataProps = 14,
};

enum class OpsetField : pbf_tag_type { kVersion = 2 };

enum class MetadataField : pbf_tag_type { kKey = 1, kValue = 2 };

enum class GraphField : pbf_tag_type {
  kNode = 1,
  kName = 2,
  kInitializer = 5,
  kInput = 11,
  kOutput = 12,
};

enum class NodeField : pbf_tag_type {
  kInput = 1,
  kOutput = 2,
  kName = 3,
  kOpType = 4,
  kAttribute = 5,
};

enum class AttributeField : pbf_tag_type {
  kName = 1,
  kFloat = 2,
  kInt = 3,
  kString = 4,
  kInts = 8,
  kType = 20,
};

enum class AttributeType : std::int32_t { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };

enum class TensorField : pbf_tag_type { kDims = 1, kDataType = 2, kName = 8, kRawData = 9 };

enum class DataType : std::int32_t { kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6, kInt64 = 7 };

enum class ValueInfoField : pbf_tag_type { kName = 1, kType = 2 };

enum class TypeField : pbf_tag_type { kTensorType = 1 };

enum class TensorTypeField : pbf_tag_type { kElemType = 1, kShape = 2 };

enum class ShapeField : pbf_tag_type { kDim = 1 };

enum class DimensionField : pbf_tag_type { kValue = 1, kParam = 2 };

}  // namespace weir::onnx
