// The graph of an ONNX file (GraphProto) while it is put together: nodes, constants, inputs and
// outputs. A node has one output, which is called as the node is.
//
//   OnnxGraph graph("mobilenet_v2");
//   graph.AddInput("images", onnx::DataType::kUint8, {"N", 224, 224, 3});
//   graph.AddNode("Cast", "as_float", {"images"}, {{"to", 1}});
//   graph.AddLater("head.1.weight", onnx::DataType::kFloat, {2, 1280});
//   graph.WriteTo(file, [&] { return ReadNext(); });
//
// Constants that are large are named beforehand and read when the file is written: no two of them
// are held at once. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/shape.h"
#include "stages/files/atomic_file.h"
#include "stages/model/export/formats/onnx/onnx_fields.h"

namespace weir {

class OnnxGraph {
 public:
  // A size, or the name of one that is known when the graph runs.
  using Dimension = std::variant<std::int64_t, std::string>;

  struct Attribute {
    std::string_view name;
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
  };

  explicit OnnxGraph(const std::string& name);

  void AddInput(std::string_view name, onnx::DataType type, const std::vector<Dimension>& shape);
  void AddOutput(std::string_view name, onnx::DataType type, const std::vector<Dimension>& shape);

  // Gives the name, for the node that reads it. An input of no name is one that is left out.
  std::string AddNode(std::string_view op_type, std::string name,
                      const std::vector<std::string>& inputs,
                      const std::vector<Attribute>& attributes = {});

  // Constants; each gives its name. One value with the shape {} is a scalar.
  std::string AddFloats(std::string name, const Shape& shape, std::span<const float> values);
  std::string AddInts(std::string name, std::span<const std::int64_t> values);  // [values]
  std::string AddBytes(std::string name, onnx::DataType type, const Shape& shape,
                       std::span<const std::uint8_t> values);  // either type of bytes
  std::string AddLater(std::string name, onnx::DataType type, const Shape& shape);

  std::uint64_t bytes() const { return written_bytes_ + fields_.size(); }

  // `next` gives the values of the AddLater, one after another. Throws Error(kInternal) where they
  // are not as long as was said.
  void WriteTo(AtomicFile& file, const std::function<std::vector<std::byte>()>& next) const;

 private:
  // Bytes, and how many bytes of values come behind them.
  struct Piece {
    std::string bytes;
    std::uint64_t values_bytes = 0;
  };

  void AddTensor(const std::string& name, onnx::DataType type, const Shape& shape,
                 std::span<const std::byte> values);

  std::vector<Piece> pieces_;
  std::string fields_;               // behind the pieces
  std::uint64_t written_bytes_ = 0;  // pieces and their values
};

// Appends the head of a field that holds so many bytes: they come behind it.
void AppendFieldHead(std::uint32_t field, std::uint64_t bytes, std::string& to);

}  // namespace weir
