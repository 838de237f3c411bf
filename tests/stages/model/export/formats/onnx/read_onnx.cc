#include "tests/stages/model/export/formats/onnx/read_onnx.h"

#include <cstring>
#include <protozero/pbf_message.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "stages/model/export/formats/onnx/onnx_fields.h"

namespace weir {
namespace {

using namespace onnx;
using protozero::pbf_message;

template <class Numbers>
std::string Joined(const Numbers& numbers) {
  std::ostringstream text;
  const char* between = "";
  for (const auto number : numbers) text << std::exchange(between, " ") << number;
  return text.str();
}

std::pair<std::string, std::string> AttributeOf(pbf_message<AttributeField> message) {
  std::string name, value;
  std::ostringstream text;
  int type = 0;
  while (message.next()) {
    switch (message.tag()) {
      case AttributeField::kName:
        name = message.get_string();
        break;
      case AttributeField::kFloat:
        text << message.get_float();
        break;
      case AttributeField::kInt:
        text << message.get_int64();
        break;
      case AttributeField::kString:
        text << message.get_string();
        break;
      case AttributeField::kInts:
        text << Joined(message.get_packed_int64());
        break;
      case AttributeField::kType:
        type = message.get_enum();
        break;
      default:
        message.skip();
    }
  }
  if (type == 0) throw std::runtime_error(name + " has no type");
  return {name, text.str()};
}

ReadNode NodeOf(pbf_message<NodeField> message) {
  ReadNode node;
  while (message.next()) {
    switch (message.tag()) {
      case NodeField::kInput:
        node.inputs.push_back(message.get_string());
        break;
      case NodeField::kOutput:
        node.outputs.push_back(message.get_string());
        break;
      case NodeField::kName:
        node.name = message.get_string();
        break;
      case NodeField::kOpType:
        node.op_type = message.get_string();
        break;
      case NodeField::kAttribute:
        node.attributes.insert(AttributeOf(message.get_message()));
        break;
      default:
        message.skip();
    }
  }
  return node;
}

std::pair<std::string, ReadTensor> TensorOf(pbf_message<TensorField> message) {
  std::string name;
  ReadTensor tensor;
  while (message.next()) {
    switch (message.tag()) {
      case TensorField::kDims:
        for (const std::int64_t size : message.get_packed_int64()) tensor.shape.push_back(size);
        break;
      case TensorField::kDataType:
        tensor.type = message.get_int32();
        break;
      case TensorField::kName:
        name = message.get_string();
        break;
      case TensorField::kRawData:
        tensor.values = message.get_bytes();
        break;
      default:
        message.skip();
    }
  }
  return {name, tensor};
}

std::string DimensionOf(pbf_message<DimensionField> message) {
  std::string text;
  while (message.next()) {
    text = message.tag() == DimensionField::kValue ? std::to_string(message.get_int64())
                                                   : message.get_string();
  }
  return text;
}

// The message of the field, which is the only one of the message or not; others are skipped.
template <class Inner, class Field>
pbf_message<Inner> Within(pbf_message<Field> message, Field field) {
  while (message.next(field)) return message.get_message();
  throw std::runtime_error("a message lacks a field");
}

std::pair<std::string, std::string> ValueOf(const pbf_message<ValueInfoField>& message) {
  pbf_message<ValueInfoField> named = message;
  named.next(ValueInfoField::kName);
  const std::string name = named.get_string();
  const auto tensor = Within<TensorTypeField>(Within<TypeField>(message, ValueInfoField::kType),
                                              TypeField::kTensorType);
  pbf_message<TensorTypeField> typed = tensor;
  typed.next(TensorTypeField::kElemType);
  std::string text = std::to_string(typed.get_int32()) + " [";
  pbf_message<ShapeField> shape = Within<ShapeField>(tensor, TensorTypeField::kShape);
  const char* between = "";
  while (shape.next(ShapeField::kDim)) {
    text += std::exchange(between, ", ") + DimensionOf(shape.get_message());
  }
  return {name, text + "]"};
}

void ReadGraph(pbf_message<GraphField> message, ReadOnnx& onnx) {
  while (message.next()) {
    switch (message.tag()) {
      case GraphField::kNode:
        onnx.nodes.push_back(NodeOf(message.get_message()));
        break;
      case GraphField::kName:
        onnx.graph = message.get_string();
        break;
      case GraphField::kInitializer: {
        auto tensor = TensorOf(message.get_message());
        if (onnx.tensors.contains(tensor.first)) throw std::runtime_error(tensor.first + " twice");
        onnx.tensors.insert(std::move(tensor));
        break;
      }
      case GraphField::kInput:
        onnx.inputs.insert(ValueOf(message.get_message()));
        break;
      case GraphField::kOutput:
        onnx.outputs.insert(ValueOf(message.get_message()));
        break;
      default:
        message.skip();
    }
  }
}

}  // namespace

std::vector<float> ReadTensor::floats() const {
  std::vector<float> floats(values.size() / sizeof(float));
  std::memcpy(floats.data(), values.data(), values.size());
  return floats;
}

ReadOnnx ParseOnnx(const std::string& bytes) {
  ReadOnnx onnx;
  pbf_message<ModelField> message(bytes);
  while (message.next()) {
    switch (message.tag()) {
      case ModelField::kIrVersion:
        onnx.ir_version = message.get_int64();
        break;
      case ModelField::kProducerName:
        onnx.producer = message.get_string();
        break;
      case ModelField::kProducerVersion:
        onnx.producer_version = message.get_string();
        break;
      case ModelField::kDocString:
        onnx.doc = message.get_string();
        break;
      case ModelField::kGraph:
        ReadGraph(message.get_message(), onnx);
        break;
      case ModelField::kOpsetImport: {
        pbf_message<OpsetField> opset = message.get_message();
        if (opset.next(OpsetField::kVersion)) onnx.opset = opset.get_int64();
        break;
      }
      case ModelField::kMetadataProps: {
        pbf_message<MetadataField> entry = message.get_message();
        std::string key;
        while (entry.next()) {
          if (entry.tag() == MetadataField::kKey) {
            key = entry.get_string();
          } else {
            onnx.metadata[key] = entry.get_string();
          }
        }
        break;
      }
      default:
        message.skip();
    }
  }
  return onnx;
}

}  // namespace weir
