// An ONNX file as protozero's reader finds it: as much of its messages as the tests look at.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/shape.h"

namespace weir {

struct ReadTensor {
  Shape shape;
  int type = 0;        // TensorProto.DataType
  std::string values;  // raw_data
  std::vector<float> floats() const;
};

struct ReadNode {
  std::string op_type, name;
  std::vector<std::string> inputs, outputs;
  // By name: "18", "0.5", "linear", "1 1 1 1".
  std::map<std::string, std::string> attributes;
};

struct ReadOnnx {
  std::int64_t ir_version = 0, opset = 0;
  std::string producer, producer_version, doc, graph;
  std::map<std::string, std::string> metadata;
  std::vector<ReadNode> nodes;
  std::map<std::string, ReadTensor> tensors;
  // By name: the type's number and the sizes, "2 [N, 224, 224, 3]".
  std::map<std::string, std::string> inputs, outputs;
};

// Throws protozero's exceptions where it is no message, std::runtime_error where a tensor's name
// comes twice.
ReadOnnx ParseOnnx(const std::string& bytes);

}  // namespace weir
