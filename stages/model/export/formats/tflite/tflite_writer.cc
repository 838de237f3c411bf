#include "stages/model/export/formats/tflite/tflite_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <variant>

#include "framework/error.h"

namespace weir {
namespace {

using flatbuffers::uoffset_t;
using tflite::Operator;
using tflite::TensorType;

constexpr std::uint32_t kSchemaVersion = 3;
constexpr const char* kFileIdentifier = "TFL3";
constexpr const char* kSignature = "serving_default";

// Runtimes map the file and compute with what lies there.
constexpr std::uint64_t kAlignment = 16;

// Operators that read or write int8, with the version that brought it; all others are in their
// first one (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc).
constexpr std::pair<Operator, int> kInt8Versions[] = {{Operator::kAdd, 2},
                                                      {Operator::kConcatenation, 2},
                                                      {Operator::kConv2d, 3},
                                                      {Operator::kPad, 2},
                                                      {Operator::kDepthwiseConv2d, 3},
                                                      {Operator::kDequantize, 2},
                                                      {Operator::kPadV2, 2},
                                                      {Operator::kSplit, 2}};

// The code in a byte, where older readers look for it; those that it cannot hold say so in it.
constexpr std::int32_t kLargestOldCode = 127;

int VersionOf(const TfliteGraph& graph, const TfliteGraph::Call& call) {
  const auto is_int8 = [&graph](int tensor) {
    return graph.tensors()[tensor].type == TensorType::kInt8;
  };
  if (std::ranges::none_of(call.inputs, is_int8) && std::ranges::none_of(call.outputs, is_int8)) {
    return 1;
  }
  const auto* found = std::ranges::find(kInt8Versions, call.kind, &std::pair<Operator, int>::first);
  return found == std::end(kInt8Versions) ? 1 : found->second;
}

std::vector<std::int32_t> DimsOf(const TfliteGraph::Tensor& tensor, std::int32_t batch) {
  std::vector<std::int32_t> dims;
  if (tensor.is_value) dims.push_back(batch);
  for (const std::int64_t size : tensor.shape) dims.push_back(static_cast<std::int32_t>(size));
  return dims;
}

}  // namespace

TfliteWriter::TfliteWriter(const TfliteGraph& graph)
    : graph_(graph), fields_(graph.pieces().size()), places_(graph.pieces().size()) {
  BuildTables();
  PlacePieces();
}

void TfliteWriter::BuildTables() {
  for (const TfliteGraph::Call& call : graph_.operators()) {
    const std::pair code{call.kind, VersionOf(graph_, call)};
    if (std::ranges::find(codes_, code) == codes_.end()) codes_.push_back(code);
  }
  const Tables buffers = Buffers(), codes = OperatorCodes(), subgraphs = Subgraphs(),
               metadata = Metadata(), signatures = Signatures();
  const auto description = builder_.CreateString(graph_.description());
  using tflite::ModelField;
  builder_.Finish(FlatTable(builder_)
                      .Add(ModelField::kVersion, kSchemaVersion)
                      .Add(ModelField::kOperatorCodes, codes)
                      .Add(ModelField::kSubgraphs, subgraphs)
                      .Add(ModelField::kDescription, description)
                      .Add(ModelField::kBuffers, buffers)
                      .Add(ModelField::kMetadata, metadata)
                      .Add(ModelField::kSignatures, signatures)
                      .End(),
                  kFileIdentifier);
}

template <class Field>
void TfliteWriter::AddPiece(FlatTable& table, Field field, int piece) {
  table.Add(field, uoffset_t{0});  // until it is known where that lies
  fields_[piece] = builder_.GetSize();
}

TfliteWriter::Tables TfliteWriter::Buffers() {
  std::vector<FlatOffset> tables;
  for (const int piece : graph_.buffers()) {
    FlatTable table(builder_);
    if (piece >= 0) AddPiece(table, tflite::BufferField::kData, piece);
    tables.push_back(table.End());
  }
  return builder_.CreateVector(tables);
}

TfliteWriter::Tables TfliteWriter::OperatorCodes() {
  using tflite::OperatorCodeField;
  std::vector<FlatOffset> tables;
  for (const auto& [kind, version] : codes_) {
    const auto code = static_cast<std::int32_t>(kind);
    tables.push_back(FlatTable(builder_)
                         .Add(OperatorCodeField::kOldCode,
                              static_cast<std::int8_t>(std::min(code, kLargestOldCode)))
                         .Add(OperatorCodeField::kVersion, std::int32_t{version})
                         .Add(OperatorCodeField::kCode, code)
                         .End());
  }
  return builder_.CreateVector(tables);
}

TfliteWriter::Tables TfliteWriter::Tensors() {
  using tflite::TensorField;
  std::vector<FlatOffset> tables;
  for (const TfliteGraph::Tensor& tensor : graph_.tensors()) {
    const FlatOffset quantization = QuantizationOf(tensor);
    const auto name = builder_.CreateString(tensor.name);
    const auto shape = builder_.CreateVector(DimsOf(tensor, 1));
    const auto signature =
        tensor.is_value ? builder_.CreateVector(DimsOf(tensor, -1)) : decltype(shape)(0);
    FlatTable table(builder_);
    table.Add(TensorField::kShape, shape)
        .Add(TensorField::kType, tensor.type)
        .Add(TensorField::kBuffer, static_cast<std::uint32_t>(tensor.buffer))
        .Add(TensorField::kName, name)
        .Add(TensorField::kQuantization, quantization)
        .Add(TensorField::kShapeSignature, signature);
    tables.push_back(table.End());
  }
  return builder_.CreateVector(tables);
}

FlatOffset TfliteWriter::QuantizationOf(const TfliteGraph::Tensor& tensor) {
  using tflite::QuantizationField;
  if (!tensor.quantization && tensor.scales < 0) return 0;
  if (tensor.quantization) {
    const auto scale = builder_.CreateVector(&tensor.quantization->scale, 1);
    const std::int64_t number = tensor.quantization->zero;
    const auto zero = builder_.CreateVector(&number, 1);
    return FlatTable(builder_)
        .Add(QuantizationField::kScale, scale)
        .Add(QuantizationField::kZeroPoint, zero)
        .End();
  }
  const auto zeros =
      builder_.CreateVector(std::vector<std::int64_t>(graph_.pieces()[tensor.scales].count));
  FlatTable table(builder_);
  AddPiece(table, QuantizationField::kScale, tensor.scales);
  return table.Add(QuantizationField::kZeroPoint, zeros)
      .Add(QuantizationField::kDimension, std::int32_t{tensor.axis})
      .End();
}

FlatOffset TfliteWriter::Operator(const TfliteGraph::Call& call) {
  using tflite::OperatorField;
  const auto inputs = builder_.CreateVector(call.inputs),
             outputs = builder_.CreateVector(call.outputs);
  FlatOffset options = 0;
  if (call.options.type() != tflite::OptionsType::kNone) {
    FlatTable table(builder_);
    for (const auto& [place, value] : call.options.fields()) {
      std::visit([&table, field = place](auto number) { table.Add(field, number); }, value);
    }
    options = table.End();
  }
  const auto code = std::ranges::find(codes_, std::pair{call.kind, VersionOf(graph_, call)});
  return FlatTable(builder_)
      .Add(OperatorField::kCode, static_cast<std::uint32_t>(code - codes_.begin()))
      .Add(OperatorField::kInputs, inputs)
      .Add(OperatorField::kOutputs, outputs)
      .Add(OperatorField::kOptionsType, call.options.type())
      .Add(OperatorField::kOptions, options)
      .End();
}

TfliteWriter::Tables TfliteWriter::Subgraphs() {
  using tflite::SubgraphField;
  const Tables tensors = Tensors();
  std::vector<FlatOffset> calls;
  for (const TfliteGraph::Call& call : graph_.operators()) calls.push_back(Operator(call));
  const auto operators = builder_.CreateVector(calls);
  const std::int32_t input = graph_.input().index, output = graph_.output().index;
  const auto inputs = builder_.CreateVector(&input, 1), outputs = builder_.CreateVector(&output, 1);
  const auto name = builder_.CreateString(graph_.name());
  const FlatOffset subgraph = FlatTable(builder_)
                                  .Add(SubgraphField::kTensors, tensors)
                                  .Add(SubgraphField::kInputs, inputs)
                                  .Add(SubgraphField::kOutputs, outputs)
                                  .Add(SubgraphField::kOperators, operators)
                                  .Add(SubgraphField::kName, name)
                                  .End();
  return builder_.CreateVector(&subgraph, 1);
}

TfliteWriter::Tables TfliteWriter::Metadata() {
  std::vector<FlatOffset> tables;
  for (const TfliteGraph::Named& entry : graph_.metadata()) {
    const auto name = builder_.CreateString(entry.name);
    tables.push_back(
        FlatTable(builder_)
            .Add(tflite::MetadataField::kName, name)
            .Add(tflite::MetadataField::kBuffer, static_cast<std::uint32_t>(entry.index))
            .End());
  }
  return builder_.CreateVector(tables);
}

TfliteWriter::Tables TfliteWriter::Signatures() {
  using tflite::SignatureField;
  const Tables inputs = TensorMap(graph_.input()), outputs = TensorMap(graph_.output());
  const auto key = builder_.CreateString(kSignature);
  const FlatOffset signature = FlatTable(builder_)
                                   .Add(SignatureField::kInputs, inputs)
                                   .Add(SignatureField::kOutputs, outputs)
                                   .Add(SignatureField::kKey, key)
                                   .Add(SignatureField::kSubgraph, std::uint32_t{0})
                                   .End();
  return builder_.CreateVector(&signature, 1);
}

TfliteWriter::Tables TfliteWriter::TensorMap(const TfliteGraph::Named& tensor) {
  const auto name = builder_.CreateString(tensor.name);
  const FlatOffset map =
      FlatTable(builder_)
          .Add(tflite::TensorMapField::kName, name)
          .Add(tflite::TensorMapField::kTensor, static_cast<std::uint32_t>(tensor.index))
          .End();
  return builder_.CreateVector(&map, 1);
}

void TfliteWriter::PlacePieces() {
  bytes_ = builder_.GetSize();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::uint64_t values =
        (bytes_ + sizeof(uoffset_t) + kAlignment - 1) / kAlignment * kAlignment;
    places_[i] = values - sizeof(uoffset_t);
    bytes_ = values + graph_.pieces()[i].bytes;
  }
}

void TfliteWriter::WriteTo(AtomicFile& file, const std::function<std::vector<std::byte>()>& next) {
  std::uint8_t* const tables = builder_.GetBufferPointer();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::uint64_t field = builder_.GetSize() - fields_[i];
    flatbuffers::WriteScalar(tables + field, static_cast<uoffset_t>(places_[i] - field));
  }
  std::uint64_t written = builder_.GetSize();
  file.Write(std::as_bytes(std::span(tables, written)));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const TfliteGraph::Piece& piece = graph_.pieces()[i];
    // The zeros that align it, and the count.
    std::array<std::byte, kAlignment + sizeof(uoffset_t)> head{};
    const std::uint64_t padding = places_[i] - written;
    const uoffset_t count = flatbuffers::EndianScalar(uoffset_t{piece.count});
    std::memcpy(head.data() + padding, &count, sizeof count);
    file.Write(std::span(head).first(padding + sizeof(uoffset_t)));
    const bool is_later = piece.values.empty() && piece.bytes > 0;
    const std::vector<std::byte> later = is_later ? next() : std::vector<std::byte>();
    const std::vector<std::byte>& values = is_later ? later : piece.values;
    if (values.size() != piece.bytes) {
      throw Error(ErrorKind::kInternal, "a constant of " + std::to_string(piece.bytes) +
                                            " bytes has " + std::to_string(values.size()));
    }
    file.Write(values);
    written = places_[i] + sizeof(uoffset_t) + piece.bytes;
  }
}

}  // namespace weir
