#include "stages/model/export/formats/onnx/onnx_graph.h"

#include <cstddef>
#include <iterator>
#include <protozero/pbf_builder.hpp>
#include <protozero/varint.hpp>
#include <type_traits>
#include <utility>

#include "framework/error.h"

namespace weir {
namespace {

using protozero::pbf_builder;

template <class Field>
std::uint32_t Number(Field field) {
  return static_cast<std::uint32_t>(field);
}

// Builders of builders and what protozero packs itself are not used: what fails in them, for want
// of memory, is found in destructors, which end the process.
std::string Packed(const std::vector<std::int64_t>& numbers) {
  std::string packed;
  for (const std::int64_t number : numbers) {
    protozero::write_varint(std::back_inserter(packed), static_cast<std::uint64_t>(number));
  }
  return packed;
}

std::string AttributeMessage(const OnnxGraph::Attribute& attribute) {
  std::string message;
  pbf_builder<onnx::AttributeField> builder(message);
  builder.add_string(onnx::AttributeField::kName, attribute.name.data(), attribute.name.size());
  onnx::AttributeType type{};
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    builder.add_int64(onnx::AttributeField::kInt, *number);
    type = onnx::AttributeType::kInt;
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    builder.add_float(onnx::AttributeField::kFloat, *real);
    type = onnx::AttributeType::kFloat;
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    builder.add_bytes(onnx::AttributeField::kString, *text);
    type = onnx::AttributeType::kString;
  } else {
    const auto& numbers = std::get<std::vector<std::int64_t>>(attribute.value);
    builder.add_bytes(onnx::AttributeField::kInts, Packed(numbers));
    type = onnx::AttributeType::kInts;
  }
  builder.add_enum(onnx::AttributeField::kType, static_cast<std::int32_t>(type));
  return message;
}

std::string DimensionMessage(const OnnxGraph::Dimension& dimension) {
  std::string message;
  pbf_builder<onnx::DimensionField> builder(message);
  if (const auto* size = std::get_if<std::int64_t>(&dimension)) {
    builder.add_int64(onnx::DimensionField::kValue, *size);
  } else {
    builder.add_string(onnx::DimensionField::kParam, std::get<std::string>(dimension));
  }
  return message;
}

std::string ValueInfoMessage(std::string_view name, onnx::DataType type,
                             const std::vector<OnnxGraph::Dimension>& shape) {
  std::string message, of_type, tensor, sizes;
  for (const OnnxGraph::Dimension& each : shape) {
    pbf_builder<onnx::ShapeField>(sizes).add_message(onnx::ShapeField::kDim,
                                                     DimensionMessage(each));
  }
  pbf_builder<onnx::TensorTypeField> builder(tensor);
  builder.add_int32(onnx::TensorTypeField::kElemType, static_cast<std::int32_t>(type));
  builder.add_message(onnx::TensorTypeField::kShape, sizes);
  pbf_builder<onnx::TypeField>(of_type).add_message(onnx::TypeField::kTensorType, tensor);
  pbf_builder<onnx::ValueInfoField> info(message);
  info.add_string(onnx::ValueInfoField::kName, name.data(), name.size());
  info.add_message(onnx::ValueInfoField::kType, of_type);
  return message;
}

std::uint64_t SizeOf(onnx::DataType type) {
  switch (type) {
    case onnx::DataType::kUint8:
    case onnx::DataType::kInt8:
      return 1;
    case onnx::DataType::kFloat:
    case onnx::DataType::kInt32:
      return 4;
    case onnx::DataType::kInt64:
      return 8;
  }
  return 0;
}

// A TensorProto but for its values, which are `values_bytes` long and end it.
std::string TensorHead(const std::string& name, onnx::DataType type, const Shape& shape,
                       std::uint64_t values_bytes) {
  std::string head;
  pbf_builder<onnx::TensorField> builder(head);
  builder.add_bytes(onnx::TensorField::kDims, Packed(shape));
  builder.add_int32(onnx::TensorField::kDataType, static_cast<std::int32_t>(type));
  builder.add_string(onnx::TensorField::kName, name);
  AppendFieldHead(Number(onnx::TensorField::kRawData), values_bytes, head);
  return head;
}

}  // namespace

void AppendFieldHead(std::uint32_t field, std::uint64_t bytes, std::string& to) {
  constexpr std::uint32_t kLengthDelimited = 2;
  protozero::write_varint(std::back_inserter(to), field << 3U | kLengthDelimited);
  protozero::write_varint(std::back_inserter(to), bytes);
}

OnnxGraph::OnnxGraph(const std::string& name) {
  pbf_builder<onnx::GraphField>(fields_).add_string(onnx::GraphField::kName, name);
}

void OnnxGraph::AddInput(std::string_view name, onnx::DataType type,
                         const std::vector<Dimension>& shape) {
  pbf_builder<onnx::GraphField>(fields_).add_message(onnx::GraphField::kInput,
                                                     ValueInfoMessage(name, type, shape));
}

void OnnxGraph::AddOutput(std::string_view name, onnx::DataType type,
                          const std::vector<Dimension>& shape) {
  pbf_builder<onnx::GraphField>(fields_).add_message(onnx::GraphField::kOutput,
                                                     ValueInfoMessage(name, type, shape));
}

std::string OnnxGraph::AddNode(std::string_view op_type, std::string name,
                               const std::vector<std::string>& inputs,
                               const std::vector<Attribute>& attributes) {
  std::string message;
  pbf_builder<onnx::NodeField> node(message);
  for (const std::string& input : inputs) node.add_string(onnx::NodeField::kInput, input);
  node.add_string(onnx::NodeField::kOutput, name);
  node.add_string(onnx::NodeField::kName, name);
  node.add_string(onnx::NodeField::kOpType, op_type.data(), op_type.size());
  for (const Attribute& attribute : attributes) {
    node.add_message(onnx::NodeField::kAttribute, AttributeMessage(attribute));
  }
  pbf_builder<onnx::GraphField>(fields_).add_message(onnx::GraphField::kNode, message);
  return name;
}

void OnnxGraph::AddTensor(const std::string& name, onnx::DataType type, const Shape& shape,
                          std::span<const std::byte> values) {
  const std::string head = TensorHead(name, type, shape, values.size());
  AppendFieldHead(Number(onnx::GraphField::kInitializer), head.size() + values.size(), fields_);
  fields_ += head;
  fields_.append(reinterpret_cast<const char*>(values.data()), values.size());
}

std::string OnnxGraph::AddFloats(std::string name, const Shape& shape,
                                 std::span<const float> values) {
  AddTensor(name, onnx::DataType::kFloat, shape, std::as_bytes(values));
  return name;
}

std::string OnnxGraph::AddInts(std::string name, std::span<const std::int64_t> values) {
  AddTensor(name, onnx::DataType::kInt64, {static_cast<std::int64_t>(values.size())},
            std::as_bytes(values));
  return name;
}

std::string OnnxGraph::AddBytes(std::string name, onnx::DataType type, const Shape& shape,
                                std::span<const std::uint8_t> values) {
  AddTensor(name, type, shape, std::as_bytes(values));
  return name;
}

std::string OnnxGraph::AddLater(std::string name, onnx::DataType type, const Shape& shape) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(ValuesIn(shape)) * SizeOf(type);
  const std::string head = TensorHead(name, type, shape, bytes);
  AppendFieldHead(Number(onnx::GraphField::kInitializer), head.size() + bytes, fields_);
  fields_ += head;
  written_bytes_ += fields_.size() + bytes;
  pieces_.push_back({std::exchange(fields_, {}), bytes});
  return name;
}

void OnnxGraph::WriteTo(AtomicFile& file,
                        const std::function<std::vector<std::byte>()>& next) const {
  for (const Piece& piece : pieces_) {
    file.Write(std::as_bytes(std::span(piece.bytes)));
    const std::vector<std::byte> values = next();
    if (values.size() != piece.values_bytes) {
      throw Error(ErrorKind::kInternal,
                  "a constant of an ONNX file has another size than was said");
    }
    file.Write(values);
  }
  file.Write(std::as_bytes(std::span(fields_)));
}

}  // namespace weir
