#include "stages/model/export/formats/onnx_nodes.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "framework/shape.h"

namespace weir {
namespace {

using inference::Operation;
using Attributes = std::vector<OnnxGraph::Attribute>;

constexpr const char* kImages = "images";
constexpr std::int64_t kToFloat = static_cast<std::int64_t>(onnx::DataType::kFloat);

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

  OnnxGraph Run() {
    picture_ = Picture();
    for (const Operation& operation : operations_) {
      std::visit([&](const auto& kind) { outputs_.push_back(Append(operation, kind)); },
                 operation.kind);
    }
    graph_.AddOutput(outputs_.back(), onnx::DataType::kFloat,
                     {"N", operations_.back().output.back()});
    return std::move(graph_);
  }

 private:
  // What the network is fed, [N, 3, H, W].
  std::string Picture() {
    const MapSize size = job_.graph.model().network().input();
    if (job_.input == ExportInput::kFloat) {
      graph_.AddInput(kImages, onnx::DataType::kFloat, {"N", 3, size.height, size.width});
      return kImages;
    }
    std::string channels_first;
    if (job_.input == ExportInput::kUint8) {
      graph_.AddInput(kImages, onnx::DataType::kUint8, {"N", size.height, size.width, 3});
      channels_first = graph_.AddNode("Transpose", "images_channels_first", {kImages},
                                      {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
      channels_first = graph_.AddNode("Cast", "images_float", {channels_first}, {{"to", kToFloat}});
    } else {
      graph_.AddInput(kImages, onnx::DataType::kUint8, {"N", "height", "width", 3});
      channels_first = graph_.AddNode("Transpose", "images_channels_first", {Resized(size)},
                                      {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
    }
    const Preprocessing& preprocessing = job_.graph.model().preprocessing();
    const Shape by_channel = {1, 3, 1, 1};
    const std::string scaled = graph_.AddNode(
        "Mul", "images_scaled",
        {channels_first, graph_.AddFloats("preprocessing.scale", by_channel, preprocessing.scale)});
    return graph_.AddNode(
        "Add", "images_preprocessed",
        {scaled, graph_.AddFloats("preprocessing.offset", by_channel, preprocessing.offset)});
  }

  // The pictures in the model's size, [N, H, W, 3], in whole numbers. In float32, as weir keeps
  // fractions between its two directions, which ONNX Runtime does not in bytes; with the channels
  // last, as its optimiser breaks a Resize with `axes` that it moves a Transpose past.
  std::string Resized(const MapSize& size) {
    const std::string as_float =
        graph_.AddNode("Cast", "images_float", {kImages}, {{"to", kToFloat}});
    const std::array<std::int64_t, 2> sizes = {size.height, size.width};
    const std::string resized = graph_.AddNode(
        "Resize", "images_resized", {as_float, "", "", graph_.AddInts("images_size", sizes)},
        {{"mode", std::string("linear")},
         {"coordinate_transformation_mode", std::string("half_pixel")},
         {"antialias", 1},
         {"exclude_outside", 1},
         {"axes", std::vector<std::int64_t>{1, 2}}});
    return graph_.AddNode("Round", "images_rounded", {resized});
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
      inputs.push_back(graph_.AddLaterFloats(constant.name, constant.shape));
    }
    return inputs;
  }

  std::string Append(const Operation& operation, const inference::Convolution& convolution) {
    return graph_.AddNode("Conv", operation.name, WithConstants(operation),
                          {{"kernel_shape", Square(convolution.kernel)},
                           {"strides", Square(convolution.stride)},
                           {"dilations", Square(convolution.dilation)},
                           {"pads", ToOnnx(convolution.pads)},
                           {"group", std::int64_t{convolution.groups}}});
  }

  std::string Append(const Operation& operation, const inference::BatchNorm& norm) {
    return graph_.AddNode("BatchNormalization", operation.name, WithConstants(operation),
                          {{"epsilon", norm.epsilon}});
  }

  std::string Append(const Operation& operation, const inference::Affine&) {
    const std::int64_t channels = operation.output.back();
    const Shape shape = operation.output.size() == 1 ? Shape{channels} : Shape{channels, 1, 1};
    const std::string scale = graph_.AddLaterFloats(operation.constants[0].name, shape);
    const std::string offset = graph_.AddLaterFloats(operation.constants[1].name, shape);
    const std::string scaled =
        graph_.AddNode("Mul", operation.name + ".scaled", {Input(operation), scale});
    return graph_.AddNode("Add", operation.name, {scaled, offset});
  }

  std::string Append(const Operation& operation, const inference::Activation& activation) {
    const std::string input = Input(operation);
    const std::string& name = operation.name;
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
  std::string Zero() { return Scalar("zero", 0, has_zero_); }
  std::string Six() { return Scalar("six", 6, has_six_); }
  std::string Scalar(const char* name, float value, bool& is_there) {
    if (std::exchange(is_there, true)) return name;
    return graph_.AddFloats(name, {}, {&value, 1});
  }

  const ExportJob& job_;
  const std::vector<Operation>& operations_;
  OnnxGraph graph_;
  std::string picture_;
  std::vector<std::string> outputs_;  // what each operation's is called
  bool has_zero_ = false, has_six_ = false;
};

}  // namespace

OnnxGraph OnnxGraphOf(const ExportJob& job) { return NodeAppender(job).Run(); }

}  // namespace weir
