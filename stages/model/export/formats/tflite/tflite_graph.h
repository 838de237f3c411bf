// A TensorFlow Lite model while it is put together: tensors, operators, constants, metadata.
//
//   TfliteGraph graph("mobilenet_v2");
//   const int images = graph.AddValue("images", TensorType::kUint8, {224, 224, 3});
//   const int numbers = graph.AddValue("images_float", TensorType::kFloat, {224, 224, 3});
//   graph.AddOperator(Operator::kCast, {images}, {numbers});
//   const int weight = graph.AddLater("head.1.weight", TensorType::kFloat, {2, 1280});
//
// Plain data, which tflite_writer.h makes a file of. Constants that are large are named here and
// read when that is written. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "framework/shape.h"
#include "stages/model/export/formats/tflite/tflite_fields.h"

namespace weir {

// What a byte q stands for: scale * (q - zero).
struct TfliteQuantization {
  float scale = 1;
  int zero = 0;
};

// What an operator is told beside its inputs.
class TfliteOptions {
 public:
  using Value = std::variant<std::int8_t, std::int32_t, float, bool>;
  using Field = std::pair<std::uint16_t, Value>;  // with its place in the schema

  explicit TfliteOptions(tflite::OptionsType type = tflite::OptionsType::kNone) : type_(type) {}

  template <class Place>
  TfliteOptions& Set(Place place, Value value) {
    fields_.emplace_back(static_cast<std::uint16_t>(place), value);
    return *this;
  }
  template <class Place>
  TfliteOptions& Set(Place place, tflite::Padding value) {
    return Set(place, static_cast<std::int8_t>(value));
  }
  template <class Place>
  TfliteOptions& Set(Place place, tflite::FusedActivation value) {
    return Set(place, static_cast<std::int8_t>(value));
  }

  tflite::OptionsType type() const { return type_; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  tflite::OptionsType type_;
  std::vector<Field> fields_;
};

class TfliteGraph {
 public:
  // An array that stands by itself in the file: the values of a constant, or its scales.
  struct Piece {
    std::uint64_t bytes = 0;
    std::uint32_t count = 0;          // how many elements it has: bytes, or scales
    std::vector<std::byte> values{};  // empty where they are read later
  };
  struct Tensor {
    std::string name;
    tflite::TensorType type{};
    Shape shape;
    bool is_value = false;  // it is computed: the batch comes in front of the shape
    int buffer = 0;
    std::optional<TfliteQuantization> quantization{};
    int scales = -1;  // the piece with those of each index of `axis`; -1: none
    int axis = 0;
  };
  struct Call {
    tflite::Operator kind{};
    std::vector<int> inputs, outputs;
    TfliteOptions options;
  };
  struct Named {
    std::string name;
    int index = 0;  // a tensor's, or for metadata a buffer's
  };

  explicit TfliteGraph(std::string name) : name_(std::move(name)) {}

  // What is fed or computed for each picture of a batch, which comes in front of `shape`. Each of
  // these gives the tensor's index.
  int AddValue(std::string name, tflite::TensorType type, const Shape& shape,
               std::optional<TfliteQuantization> quantization = std::nullopt);

  // Constants. One value with the shape {} is a scalar.
  int AddFloats(std::string name, const Shape& shape, std::span<const float> values);
  int AddInts(std::string name, const Shape& shape, std::span<const std::int32_t> values);
  int AddByte(std::string name, std::int8_t value, TfliteQuantization quantization);
  int AddLater(std::string name, tflite::TensorType type, const Shape& shape);
  // One with a scale for each index of `axis`: the scales are read behind the values, in float32.
  int AddLaterWithScales(std::string name, tflite::TensorType type, const Shape& shape, int axis);

  void AddOperator(tflite::Operator kind, std::vector<int> inputs, std::vector<int> outputs,
                   TfliteOptions options = TfliteOptions());

  void SetInput(std::string name, int tensor) { input_ = {std::move(name), tensor}; }
  void SetOutput(std::string name, int tensor) { output_ = {std::move(name), tensor}; }
  void SetDescription(std::string text) { description_ = std::move(text); }
  void AddMetadata(std::string name, std::span<const std::byte> bytes);

  const std::string& name() const { return name_; }
  const std::string& description() const { return description_; }
  const Named& input() const { return input_; }
  const Named& output() const { return output_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  const std::vector<Call>& operators() const { return operators_; }
  const std::vector<Named>& metadata() const { return metadata_; }
  const std::vector<Piece>& pieces() const { return pieces_; }  // in the order of their reading
  const std::vector<int>& buffers() const { return buffers_; }  // the piece of each; -1: empty

 private:
  int AddPiece(Piece piece);
  int AddBuffer(int piece);
  int AddConstant(Tensor tensor, std::span<const std::byte> values);

  std::string name_, description_;
  Named input_, output_;
  std::vector<Piece> pieces_;
  std::vector<int> buffers_ = {-1};  // the first one is that of tensors without values
  std::vector<Tensor> tensors_;
  std::vector<Call> operators_;
  std::vector<Named> metadata_;
};

}  // namespace weir
