#include "stages/model/export/formats/onnx/onnx_nodes.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "framework/shape.h"
#include "stages/model/export/formats/onnx/onnx_pictures.h"

namespace weir {
namespace {

using inference::Operation;
using Attributes = std::vector<OnnxGraph::Attribute>;

std::vector<std::int64_t> ToOnnx(const Pads& pads) {
  return {pads.top, pads.left, pads.bottom, pads.right};
}

std::vector<std::int64_t> Square(int size) { return {size, size}; }

// Whether a value is one number a channel: the layout is the same for all.
bool HasOnePixel(const Shape& map) { return map.size() == 3 && map[0] == 1 && map[1] == 1; }

class NodeAppender {
 public:
  explicit NodeAppender(const ExportJob& job)
      : job_(job),
        operations_(job.graph.operations()),
        graph_(job.graph.model().config().backbone.name) {}

  OnnxNodes Run() {
    picture_ = AppendPictures(job_, graph_);
    for (const Operation& operation : operations_) {
      encoders_.emplace_back(EncodeFloats);
      std::visit([&](const auto& kind) { outputs_.push_back(Append(operation, kind)); },
                 operation.kind);
      if (operation.bytes) outputs_.back() = Rounded(outputs_.back(), *operation.bytes);
    }
    graph_.AddOutput(outputs_.back(), onnx::DataType::kFloat,
                     {"N", operations_.back().output.back()});
    return {std::move(graph_), std::move(encoders_)};
  }

 private:
  // A map as its bytes stand for it. Those with a sign are written as uint8 about 128, which is the
  // same: ONNX Runtime has 8-bit convolutions for one type of bytes on both sides alone.
  std::string Rounded(const std::string& map, const inference::Bytes& bytes) {
    const std::string scale = graph_.AddFloats(map + ".scale", {}, {&bytes.scale, 1});
    const std::string zero =
        bytes.is_unsigned ? ZeroByte("byte_zero", 0) : ZeroByte("signed_byte_zero", 128);
    const std::string rounded =
        graph_.AddNode("QuantizeLinear", map + ".bytes", {map, scale, zero});
    return graph_.AddNode("DequantizeLinear", map + ".rounded", {rounded, scale, zero});
  }

  std::string ZeroByte(const char* name, std::uint8_t value) {
    if (added_.insert(name).second) {
      graph_.AddBytes(name, onnx::DataType::kUint8, {}, {&value, 1});
    }
    return name;
  }

  std::string Input(const Operation& operation, std::size_t index = 0) const {
    const int input = operation.inputs.at(index);
    return input == inference::kPicture ? picture_ : outputs_[input];
  }

  // The shape of what it reads: [h, w, C] or [C].
  Shape InputShape(const Operation& operation) const {
    const int input = operation.inputs.at(0);
    if (input != inference::kPicture) return operations_[input].output;
    const MapSize size = job_.graph.model().network().input();
    return {size.height, size.width, 3};
  }

  // The input, and behind it the constants in the shapes that they have.
  std::vector<std::string> WithConstants(const Operation& operation) {
    std::vector<std::string> inputs = {Input(operation)};
    for (const inference::Constant& constant : operation.constants) {
      inputs.push_back(graph_.AddLater(constant.name, onnx::DataType::kFloat, constant.shape));
    }
    return inputs;
  }

  std::string Append(const Operation& operation, const inference::Convolution& convolution) {
    const std::vector<std::string> inputs =
        convolution.is_int8 ? WithInt8Constants(operation) : WithConstants(operation);
    return graph_.AddNode("Conv", operation.name, inputs,
                          {{"kernel_shape", Square(convolution.kernel)},
                           {"strides", Square(convolution.stride)},
                           {"dilations", Square(convolution.dilation)},
                           {"pads", ToOnnx(convolution.pads)},
                           {"group", std::int64_t{convolution.groups}}});
  }

  // The input, and the kernel and the bias as what their numbers stand for.
  std::vector<std::string> WithInt8Constants(const Operation& operation) {
    const int input = operation.inputs.at(0);
    const float from = input == inference::kPicture ? 1 : operations_[input].bytes.value().scale;
    encoders_.back() = [from](const ConstantValues& constants) {
      return EncodeInt8(constants, from);
    };
    const inference::Constant &kernel = operation.constants[0], &bias = operation.constants[2];
    using onnx::DataType;
    const std::vector<std::string> later = {
        graph_.AddLater(kernel.name, DataType::kInt8, kernel.shape),
        graph_.AddLater(operation.constants[1].name, DataType::kFloat, bias.shape),
        graph_.AddLater(bias.name, DataType::kInt32, bias.shape),
        graph_.AddLater(bias.name + ".scale", DataType::kFloat, bias.shape)};
    const Attributes by_output = {{"axis", std::int64_t{0}}};
    return {
        Input(operation),
        graph_.AddNode("DequantizeLinear", kernel.name + ".float", {later[0], later[1]}, by_output),
        graph_.AddNode("DequantizeLinear", bias.name + ".float", {later[2], later[3]}, by_output)};
  }

  std::string Append(const Operation& operation, const inference::BatchNorm& norm) {
    return graph_.AddNode("BatchNormalization", operation.name, WithConstants(operation),
                          {{"epsilon", norm.epsilon}});
  }

  std::string Append(const Operation& operation, const inference::Affine&) {
    const std::int64_t channels = operation.output.back();
    const Shape shape = operation.output.size() == 1 ? Shape{channels} : Shape{channels, 1, 1};
    using onnx::DataType;
    const std::string scale = graph_.AddLater(operation.constants[0].name, DataType::kFloat, shape);
    const std::string offset =
        graph_.AddLater(operation.constants[1].name, DataType::kFloat, shape);
    const std::string scaled =
        graph_.AddNode("Mul", operation.name + ".scaled", {Input(operation), scale});
    return graph_.AddNode("Add", operation.name, {scaled, offset});
  }

  std::string Append(const Operation& operation, const inference::Activation& activation) {
    std::string input = Input(operation);
    const std::string& name = operation.name;
    // A byte ends where a ReLU or ReLU6 cuts off: without a node of its own the convolution before
    // it is one of bytes.
    if (operation.bytes) return input;
    const Attributes sixth = {{"alpha", 1.0f / 6}, {"beta", 0.5f}};
    switch (activation.function) {
      case inference::Function::kRelu:
        return graph_.AddNode("Relu", name, {input});
      case inference::Function::kRelu6:
        return graph_.AddNode("Clip", name, {input, Zero(), Six()});
      case inference::Function::kHardSigmoid:
        return graph_.AddNode("HardSigmoid", name, {input}, sixth);
      case inference::Function::kHardSwish:
        return graph_.AddNode("HardSwish", name, {input});
      case inference::Function::kSigmoid:
        return graph_.AddNode("Sigmoid", name, {input});
      case inference::Function::kSilu:
        return graph_.AddNode("Mul", name,
                              {input, graph_.AddNode("Sigmoid", name + ".sigmoid", {input})});
      case inference::Function::kTanh:
        return graph_.AddNode("Tanh", name, {input});
    }
    return "";
  }

  std::string Append(const Operation& operation, const inference::Sum&) {
    return graph_.AddNode("Add", operation.name, {Input(operation), Input(operation, 1)});
  }

  std::string Append(const Operation& operation, const inference::Product&) {
    return graph_.AddNode("Mul", operation.name, {Input(operation), Input(operation, 1)});
  }

  std::string Append(const Operation& operation, const inference::GlobalPool& pool) {
    return graph_.AddNode(pool.pooling == Pooling::kMax ? "GlobalMaxPool" : "GlobalAveragePool",
                          operation.name, {Input(operation)});
  }

  std::string Append(const Operation& operation, const inference::MaxPool& pool) {
    return graph_.AddNode("MaxPool", operation.name, {Input(operation)},
                          {{"kernel_shape", Square(pool.kernel)},
                           {"strides", Square(pool.stride)},
                           {"pads", ToOnnx(pool.pads)}});
  }

  std::string Append(const Operation& operation, const inference::Flatten&) {
    std::string input = Input(operation);
    if (!HasOnePixel(InputShape(operation))) {
      input = graph_.AddNode("Transpose", operation.name + ".channels_last", {input},
                             {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
    }
    return graph_.AddNode("Flatten", operation.name, {input}, {{"axis", 1}});
  }

  std::string Append(const Operation& operation, const inference::Dense&) {
    return graph_.AddNode("Gemm", operation.name, WithConstants(operation), {{"transB", 1}});
  }

  std::string Append(const Operation& operation, const inference::Softmax&) {
    return graph_.AddNode("Softmax", operation.name, {Input(operation)}, {{"axis", 1}});
  }

  // Added when they are first asked for.
  std::string Zero() { return Scalar("zero", 0); }
  std::string Six() { return Scalar("six", 6); }
  std::string Scalar(const char* name, float value) {
    if (added_.insert(name).second) graph_.AddFloats(name, {}, {&value, 1});
    return name;
  }

  const ExportJob& job_;
  const std::vector<Operation>& operations_;
  OnnxGraph graph_;
  std::string picture_;
  std::vector<std::string> outputs_;  // what each operation's is called
  std::vector<ConstantEncoder> encoders_;
  std::set<std::string> added_;  // constants that several nodes take
};

}  // namespace

OnnxNodes OnnxNodesOf(const ExportJob& job) { return NodeAppender(job).Run(); }

}  // namespace weir
