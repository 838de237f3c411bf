#include "stages/model/export/formats/tflite/tflite_nodes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "framework/shape.h"
#include "stages/model/export/formats/tflite/tflite_constants.h"
#include "stages/model/export/formats/tflite/tflite_fusing.h"
#include "stages/model/export/formats/tflite/tflite_pictures.h"
#include "stages/model/export/formats/tflite/tflite_windows.h"

namespace weir {
namespace {

using inference::Operation;
using tflite::FusedActivation;
using tflite::Operator;
using tflite::OptionsType;
using tflite::TensorType;
using Options = TfliteOptions;

Options AddOptions(FusedActivation activation = FusedActivation::kNone) {
  return Options(OptionsType::kAdd).Set(tflite::AddField::kActivation, activation);
}

Options MulOptions(FusedActivation activation = FusedActivation::kNone) {
  return Options(OptionsType::kMul).Set(tflite::MulField::kActivation, activation);
}

class OperatorAppender {
 public:
  explicit OperatorAppender(const ExportJob& job)
      : job_(job),
        operations_(job.graph.operations()),
        fusing_(operations_),
        graph_(job.graph.model().config().backbone.name),
        outputs_(operations_.size()) {}

  TfliteNodes Run() {
    picture_ = AppendPicture(job_, graph_);
    for (index_ = 0; index_ < static_cast<int>(operations_.size()); ++index_) {
      const Operation& operation = operations_[index_];
      encoders_.emplace_back(EncodeFloats);
      if (fusing_.is_fused(index_)) continue;
      std::visit([&](const auto& kind) { Append(operation, kind); }, operation.kind);
      outputs_[fusing_.end(index_)] = outputs_[index_];
    }
    graph_.SetOutput("probabilities", outputs_.back());
    return {std::move(graph_), std::move(encoders_)};
  }

 private:
  // The tensor that an operation reads, in the type that it has.
  int Input(const Operation& operation, std::size_t index = 0) const {
    const int input = operation.inputs.at(index);
    return input == inference::kPicture ? picture_.tensor : outputs_[input];
  }

  // The same in float32.
  int Floats(const Operation& operation, std::size_t index = 0) {
    const int tensor = Input(operation, index);
    const TfliteGraph::Tensor map = graph_.tensors()[tensor];
    if (map.type == TensorType::kFloat) return tensor;
    const auto [found, is_new] = floats_.emplace(tensor, 0);
    if (is_new) {
      found->second = graph_.AddValue(map.name + ".float", TensorType::kFloat, map.shape);
      graph_.AddOperator(Operator::kDequantize, {tensor}, {found->second});
    }
    return found->second;
  }

  // What the operator is to give the values of: the operation, or a function that is fused with it.
  const Operation& EndOf() const { return operations_[fusing_.end(index_)]; }

  // Writes an operator that computes that in float32, and what rounds it where it is in bytes.
  void Emit(Operator kind, std::vector<int> inputs, Options options = Options()) {
    const Operation& end = EndOf();
    const int made = graph_.AddValue(end.bytes ? end.name + ".unrounded" : end.name,
                                     TensorType::kFloat, end.output);
    graph_.AddOperator(kind, std::move(inputs), {made}, std::move(options));
    outputs_[index_] = made;
    if (!end.bytes) return;
    outputs_[index_] =
        graph_.AddValue(end.name, TensorType::kInt8, end.output, QuantizationOf(*end.bytes));
    graph_.AddOperator(Operator::kQuantize, {made}, {outputs_[index_]});
  }

  // Writes one that computes it in int8.
  void EmitInt8(Operator kind, std::vector<int> inputs, const inference::Bytes& bytes,
                Options options) {
    outputs_[index_] =
        graph_.AddValue(EndOf().name, TensorType::kInt8, EndOf().output, QuantizationOf(bytes));
    graph_.AddOperator(kind, std::move(inputs), {outputs_[index_]}, std::move(options));
  }

  // Writes one that comes before it; gives the tensor of what that computes.
  int EmitPart(Operator kind, const std::string& name, const Shape& shape, std::vector<int> inputs,
               Options options = Options()) {
    const int made = graph_.AddValue(name, TensorType::kFloat, shape);
    graph_.AddOperator(kind, std::move(inputs), {made}, std::move(options));
    return made;
  }

  void Append(const Operation& operation, const inference::Convolution& convolution) {
    const TfliteWindows windows{.name = operation.name,
                                .kernel = convolution.kernel,
                                .stride = convolution.stride,
                                .dilation = convolution.dilation,
                                .pads = convolution.pads};
    const FusedActivation activation = fusing_.activation(index_);
    if (!convolution.is_int8) {
      const TfliteWindowed read = Windowed(Floats(operation), windows, graph_);
      encoders_.back() = KernelEncoder(operation);
      const auto [kind, options] = ConvolutionOf(operation, convolution, read.padding, activation);
      Emit(kind, {read.tensor, AddKernel(operation), AddBias(operation)}, options);
      return;
    }
    const bool reads_picture = operation.inputs[0] == inference::kPicture;
    const PictureOffsets offsets = reads_picture ? picture_.offsets : PictureOffsets{};
    const TfliteWindowed read = WindowedByChannel(Input(operation), windows, offsets, graph_);
    const float from = graph_.tensors()[read.tensor].quantization.value().scale;
    encoders_.back() = Int8KernelEncoder(operation, from, offsets);
    const int kernel = graph_.AddLaterWithScales(operation.constants[0].name, TensorType::kInt8,
                                                 KernelShape(operation), KernelAxis(operation));
    const int bias = graph_.AddLaterWithScales(operation.constants[2].name, TensorType::kInt32,
                                               operation.constants[2].shape, 0);
    const auto [kind, options] = ConvolutionOf(operation, convolution, read.padding, activation);
    EmitInt8(kind, {read.tensor, kernel, bias}, fusing_.bytes(index_), options);
  }

  int AddKernel(const Operation& operation) {
    return graph_.AddLater(operation.constants[0].name, TensorType::kFloat, KernelShape(operation));
  }

  int AddBias(const Operation& operation) {
    if (operation.constants.size() > 1) return AddLater(operation.constants[1]);
    return graph_.AddLater(operation.name + ".bias", TensorType::kFloat,
                           {operation.constants[0].shape[0]});
  }

  int AddLater(const inference::Constant& constant) {
    return graph_.AddLater(constant.name, TensorType::kFloat, constant.shape);
  }

  static std::pair<Operator, Options> ConvolutionOf(const Operation& operation,
                                                    const inference::Convolution& convolution,
                                                    tflite::Padding padding,
                                                    FusedActivation activation) {
    const auto stride = std::int32_t{convolution.stride};
    const auto dilation = std::int32_t{convolution.dilation};
    if (!IsDepthwise(operation)) {
      using tflite::Conv2dField;
      return {Operator::kConv2d, Options(OptionsType::kConv2d)
                                     .Set(Conv2dField::kPadding, padding)
                                     .Set(Conv2dField::kStrideWidth, stride)
                                     .Set(Conv2dField::kStrideHeight, stride)
                                     .Set(Conv2dField::kActivation, activation)
                                     .Set(Conv2dField::kDilationWidth, dilation)
                                     .Set(Conv2dField::kDilationHeight, dilation)};
    }
    using tflite::DepthwiseConv2dField;
    const std::int64_t multiplier = operation.constants[0].shape[0] / convolution.groups;
    return {Operator::kDepthwiseConv2d,
            Options(OptionsType::kDepthwiseConv2d)
                .Set(DepthwiseConv2dField::kPadding, padding)
                .Set(DepthwiseConv2dField::kStrideWidth, stride)
                .Set(DepthwiseConv2dField::kStrideHeight, stride)
                .Set(DepthwiseConv2dField::kDepthMultiplier, static_cast<std::int32_t>(multiplier))
                .Set(DepthwiseConv2dField::kActivation, activation)
                .Set(DepthwiseConv2dField::kDilationWidth, dilation)
                .Set(DepthwiseConv2dField::kDilationHeight, dilation)};
  }

  void Append(const Operation& operation, const inference::BatchNorm& norm) {
    encoders_.back() = BatchNormEncoder(norm.epsilon);
    const Shape channels = {operation.output.back()};
    const int scale = graph_.AddLater(operation.name + ".scale", TensorType::kFloat, channels);
    AppendScaled(operation, scale,
                 graph_.AddLater(operation.name + ".offset", TensorType::kFloat, channels));
  }

  void Append(const Operation& operation, const inference::Affine&) {
    const int scale = AddLater(operation.constants[0]);
    AppendScaled(operation, scale, AddLater(operation.constants[1]));
  }

  void AppendScaled(const Operation& operation, int scale, int offset) {
    const int scaled = EmitPart(Operator::kMul, operation.name + ".scaled", operation.output,
                                {Floats(operation), scale}, MulOptions());
    Emit(Operator::kAdd, {scaled, offset}, AddOptions(fusing_.activation(index_)));
  }

  void Append(const Operation& operation, const inference::Activation& activation) {
    const int input = Floats(operation);
    switch (activation.function) {
      case inference::Function::kRelu:
        return Emit(Operator::kRelu, {input});
      case inference::Function::kRelu6:
        return Emit(Operator::kRelu6, {input});
      case inference::Function::kHardSigmoid: {
        const int moved =
            EmitPart(Operator::kAdd, operation.name + ".moved", operation.output,
                     {input, Scalar("three", 3)}, AddOptions(FusedActivation::kRelu6));
        return Emit(Operator::kMul, {moved, Scalar("sixth", 1.0f / 6)}, MulOptions());
      }
      case inference::Function::kHardSwish:
        return Emit(Operator::kHardSwish, {input});
      case inference::Function::kSigmoid:
        return Emit(Operator::kLogistic, {input});
      case inference::Function::kSilu: {
        const int sigmoid =
            EmitPart(Operator::kLogistic, operation.name + ".sigmoid", operation.output, {input});
        return Emit(Operator::kMul, {input, sigmoid}, MulOptions());
      }
      case inference::Function::kTanh:
        return Emit(Operator::kTanh, {input});
    }
  }

  void Append(const Operation& operation, const inference::Sum&) {
    const Options options = AddOptions(fusing_.activation(index_));
    const std::vector<int> inputs = {Input(operation), Input(operation, 1)};
    const bool are_bytes = std::ranges::all_of(
        inputs, [this](int tensor) { return graph_.tensors()[tensor].type == TensorType::kInt8; });
    if (are_bytes && EndOf().bytes) {
      EmitInt8(Operator::kAdd, inputs, *EndOf().bytes, options);
    } else {
      Emit(Operator::kAdd, {Floats(operation), Floats(operation, 1)}, options);
    }
  }

  void Append(const Operation& operation, const inference::Product&) {
    Emit(Operator::kMul, {Floats(operation), Floats(operation, 1)},
         MulOptions(fusing_.activation(index_)));
  }

  void Append(const Operation& operation, const inference::GlobalPool& pool) {
    static constexpr std::array<std::int32_t, 2> kRowsAndColumns = {1, 2};
    const auto [axes, is_new] = shared_.emplace("rows_and_columns", 0);
    if (is_new) axes->second = graph_.AddInts(axes->first, {2}, kRowsAndColumns);
    Emit(pool.pooling == Pooling::kMax ? Operator::kReduceMax : Operator::kMean,
         {Floats(operation), axes->second},
         Options(OptionsType::kReducer).Set(tflite::ReducerField::kKeepDims, true));
  }

  void Append(const Operation& operation, const inference::MaxPool& pool) {
    const TfliteWindowed read = WindowedForMax(
        Floats(operation),
        {.name = operation.name, .kernel = pool.kernel, .stride = pool.stride, .pads = pool.pads},
        graph_);
    using tflite::Pool2dField;
    Emit(Operator::kMaxPool2d, {read.tensor},
         Options(OptionsType::kPool2d)
             .Set(Pool2dField::kPadding, read.padding)
             .Set(Pool2dField::kStrideWidth, std::int32_t{pool.stride})
             .Set(Pool2dField::kStrideHeight, std::int32_t{pool.stride})
             .Set(Pool2dField::kFilterWidth, std::int32_t{pool.kernel})
             .Set(Pool2dField::kFilterHeight, std::int32_t{pool.kernel}));
  }

  void Append(const Operation& operation, const inference::Flatten&) {
    const std::array<std::int32_t, 2> shape = {-1,
                                               static_cast<std::int32_t>(operation.output.back())};
    Emit(Operator::kReshape,
         {Floats(operation), graph_.AddInts(operation.name + ".shape", {2}, shape)});
  }

  void Append(const Operation& operation, const inference::Dense&) {
    const int weight = AddLater(operation.constants[0]);
    Emit(Operator::kFullyConnected, {Floats(operation), weight, AddLater(operation.constants[1])},
         Options(OptionsType::kFullyConnected)
             .Set(tflite::FullyConnectedField::kActivation, fusing_.activation(index_)));
  }

  void Append(const Operation& operation, const inference::Softmax&) {
    Emit(Operator::kSoftmax, {Floats(operation)},
         Options(OptionsType::kSoftmax).Set(tflite::SoftmaxField::kBeta, 1.0f));
  }

  // Added when it is first asked for.
  int Scalar(const char* name, float value) {
    const auto [found, is_new] = shared_.emplace(name, 0);
    if (is_new) found->second = graph_.AddFloats(name, {}, {&value, 1});
    return found->second;
  }

  const ExportJob& job_;
  const std::vector<Operation>& operations_;
  const TfliteFusing fusing_;
  TfliteGraph graph_;
  TflitePicture picture_;
  int index_ = 0;             // the operation that is written
  std::vector<int> outputs_;  // the tensor that each makes
  std::vector<ConstantEncoder> encoders_;
  std::map<int, int> floats_;          // what stands in float32 for each tensor of bytes
  std::map<std::string, int> shared_;  // constants that several operators take
};

}  // namespace

TfliteNodes TfliteNodesOf(const ExportJob& job) { return OperatorAppender(job).Run(); }

}  // namespace weir
