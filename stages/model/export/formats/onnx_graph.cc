#include "stages/model/export/formats/onnx_graph.h"

#include <cstddef>
#include <iterator>
#include <protozero/pbf_builder.hpp>
#include <protozero/pbf_writer.hpp>
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
    builder.add_packed_int64(onnx::AttributeField::kInts, numbers.begin(), numbers.end());
    type = onnx::AttributeType::kInts;
  }
  builder.add_enum(onnx::AttributeField::kType, static_cast<std::int32_t>(type));
  return message;
}

std::string ValueInfoMessage(std::string_view name, onnx::DataType type,
                             const std::vector<OnnxGraph::Dimension>& shape) {
  std::string message;
  pbf_builder<onnx::ValueInfoField> info(message);
  info.add_string(onnx::ValueInfoField::kName, name.data(), name.size());
  pbf_builder<onnx::TypeField> of_type(info, onnx::ValueInfoField::kType);
  pbf_builder<onnx::TensorTypeField> tensor(of_type, onnx::TypeField::kTensorType);
  tensor.add_int32(onnx::TensorTypeField::kElemType, static_cast<std::int32_t>(type));
  pbf_builder<onnx::ShapeField> sizes(tensor, onnx::TensorTypeField::kShape);
  for (const OnnxGraph::Dimension& each : shape) {
    pbf_builder<onnx::DimensionField> dimension(sizes, onnx::ShapeField::kDim);
    if (const auto* size = std::get_if<std::int64_t>(&each)) {
      dimension.add_int64(onnx::DimensionField::kValue, *size);
    } else {
      dimension.add_string(onnx::DimensionField::kParam, std::get<std::string>(each));
    }
  }
  return message;
}

// A TensorProto but for its values, which are `values_bytes` long and end it.
std::string TensorHead(const std::string& name, onnx::DataType type, const Shape& shape,
                       std::uint64_t values_bytes) {
  std::string head;
  pbf_builder<onnx::TensorField> builder(head);
  builder.add_packed_int64(onnx::TensorField::kDims, shape.begin(), shape.end());
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
  pbf_builder<onnx::GraphField> graph(fields_);
  pbf_builder<onnx::NodeField> node(graph, onnx::GraphField::kNode);
  for (const std::string& input : inputs) node.add_string(onnx::NodeField::kInput, input);
  node.add_string(onnx::NodeField::kOutput, name);
  node.add_string(onnx::NodeField::kName, name);
  node.add_string(onnx::NodeField::kOpType, op_type.data(), op_type.size());
  for (const Attribute& attribute : attributes) {
    node.add_message(onnx::NodeField::kAttribute, AttributeMessage(attribute));
  }
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

std::string OnnxGraph::AddLaterFloats(std::string name, const Shape& shape) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(ValuesIn(shape)) * sizeof(float);
  const std::string head = TensorHead(name, onnx::DataType::kFloat, shape, bytes);
  AppendFieldHead(Number(onnx::GraphField::kInitializer), head.size() + bytes, fields_);
  fields_ += head;
  written_bytes_ += fields_.size() + bytes;
  pieces_.push_back({std::exchange(fields_, {}), bytes});
  return name;
}

void OnnxGraph::WriteTo(AtomicFile& file, const std::function<std::vector<float>()>& next) const {
  for (const Piece& piece : pieces_) {
    file.Write(std::as_bytes(std::span(piece.bytes)));
    const std::vector<float> values = next();
    if (values.size() * sizeof(float) != piece.values_bytes) {
      throw Error(ErrorKind::kInternal,
                  "a constant of an ONNX file has another size than was said");
    }
    file.Write(std::as_bytes(std::span(values)));
  }
  file.Write(std::as_bytes(std::span(fields_)));
}

}  // namespace weir
