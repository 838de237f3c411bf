#include "stages/model/export/formats/tflite/tflite_graph.h"

namespace weir {
namespace {

using tflite::TensorType;

std::uint64_t BytesOf(TensorType type) {
  return type == TensorType::kUint8 || type == TensorType::kInt8 ? 1 : 4;
}

}  // namespace

int TfliteGraph::AddValue(std::string name, TensorType type, const Shape& shape,
                          std::optional<TfliteQuantization> quantization) {
  tensors_.push_back({.name = std::move(name),
                      .type = type,
                      .shape = shape,
                      .is_value = true,
                      .quantization = quantization});
  return static_cast<int>(tensors_.size()) - 1;
}

int TfliteGraph::AddFloats(std::string name, const Shape& shape, std::span<const float> values) {
  return AddConstant({.name = std::move(name), .type = TensorType::kFloat, .shape = shape},
                     std::as_bytes(values));
}

int TfliteGraph::AddInts(std::string name, const Shape& shape,
                         std::span<const std::int32_t> values) {
  return AddConstant({.name = std::move(name), .type = TensorType::kInt32, .shape = shape},
                     std::as_bytes(values));
}

int TfliteGraph::AddByte(std::string name, std::int8_t value, TfliteQuantization quantization) {
  return AddConstant({.name = std::move(name),
                      .type = TensorType::kInt8,
                      .shape = {},
                      .quantization = quantization},
                     std::as_bytes(std::span(&value, 1)));
}

int TfliteGraph::AddLater(std::string name, TensorType type, const Shape& shape) {
  return AddConstant({.name = std::move(name), .type = type, .shape = shape}, {});
}

int TfliteGraph::AddLaterWithScales(std::string name, TensorType type, const Shape& shape,
                                    int axis) {
  const int tensor = AddLater(std::move(name), type, shape);
  const auto scales = static_cast<std::uint32_t>(shape.at(axis));
  tensors_[tensor].scales = AddPiece({.bytes = scales * sizeof(float), .count = scales});
  tensors_[tensor].axis = axis;
  return tensor;
}

void TfliteGraph::AddOperator(tflite::Operator kind, std::vector<int> inputs,
                              std::vector<int> outputs, TfliteOptions options) {
  operators_.push_back({kind, std::move(inputs), std::move(outputs), std::move(options)});
}

void TfliteGraph::AddMetadata(std::string name, std::span<const std::byte> bytes) {
  const int piece = AddPiece({.bytes = bytes.size(),
                              .count = static_cast<std::uint32_t>(bytes.size()),
                              .values = {bytes.begin(), bytes.end()}});
  metadata_.push_back({std::move(name), AddBuffer(piece)});
}

int TfliteGraph::AddPiece(Piece piece) {
  pieces_.push_back(std::move(piece));
  return static_cast<int>(pieces_.size()) - 1;
}

int TfliteGraph::AddBuffer(int piece) {
  buffers_.push_back(piece);
  return static_cast<int>(buffers_.size()) - 1;
}

int TfliteGraph::AddConstant(Tensor tensor, std::span<const std::byte> values) {
  const std::uint64_t bytes = ValuesIn(tensor.shape) * BytesOf(tensor.type);
  tensor.buffer = AddBuffer(AddPiece({.bytes = bytes,
                                      .count = static_cast<std::uint32_t>(bytes),
                                      .values = {values.begin(), values.end()}}));
  tensors_.push_back(std::move(tensor));
  return static_cast<int>(tensors_.size()) - 1;
}

}  // namespace weir
