#include "stages/model/export/formats/torchscript/torchscript_forward.h"

#include <utility>
#include <variant>
#include <vector>

#include "framework/error.h"
#include "stages/model/export/formats/python_text.h"
#include "stages/model/export/formats/torchscript/torchscript_names.h"
#include "stages/model/export/formats/torchscript/torchscript_pictures.h"

namespace weir {
namespace {

using inference::Operation;
using Role = TorchscriptModule::Role;

std::string List(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

std::string Square(int size) { return List({size, size}); }

std::string Call(const std::string& function, const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& each : arguments) text += (text.empty() ? "" : ", ") + each;
  return "torch." + function + "(" + text + ")";
}

// A layer of the head that normalises maps or vectors has the channels where torch.batch_norm looks
// for them; what else is of one value a channel takes this shape.
Shape OneAChannel(const Operation& operation) {
  const std::int64_t channels = operation.output.back();
  return operation.output.size() == 1 ? Shape{channels} : Shape{channels, 1, 1};
}

class ForwardWriter {
 public:
  ForwardWriter(const ExportJob& job, TorchscriptModule& module)
      : operations_(job.graph.operations()), job_(job), module_(module) {}

  std::string Run() {
    text_ = std::string("  def forward(self: __torch__.") + kTorchscriptClass + ",\n    " +
            kTorchscriptImages + ": Tensor) -> Tensor:\n" + TorchscriptInputCheck(job_);
    picture_ = Assign("pictures", TorchscriptPictures(job_, module_));
    for (const Operation& operation : operations_) {
      outputs_.push_back(Assign(
          operation.name, std::visit([&](const auto& kind) { return Expression(operation, kind); },
                                     operation.kind)));
    }
    return text_ + "    return " + outputs_.back() + "\n";
  }

 private:
  // Gives the name of the variable that is then of that value.
  std::string Assign(const std::string& name, const std::string& expression) {
    std::string variable = names_.Make(name);
    text_ += "    " + variable + " = " + expression + "\n";
    return variable;
  }

  std::string Input(const Operation& operation, std::size_t index = 0) const {
    const int input = operation.inputs.at(index);
    return input == inference::kPicture ? picture_ : outputs_[input];
  }

  std::string Add(const inference::Constant& constant, Role role = Role::kParameter) {
    return module_.Add(constant.name, constant.shape, role);
  }

  // The input, with `value` around it where one side gets more than the other.
  std::string Padded(const Operation& operation, const Pads& pads, const std::string& value) {
    if (IsSymmetric(pads)) return Input(operation);
    return Assign(
        operation.name + "_padded",
        Call("constant_pad_nd",
             {Input(operation), List({pads.left, pads.right, pads.top, pads.bottom}), value}));
  }
  static bool IsSymmetric(const Pads& pads) {
    return pads.top == pads.bottom && pads.left == pads.right;
  }
  // What is left to the operator itself, which pads both sides alike.
  static std::string OwnPads(const Pads& pads) {
    return IsSymmetric(pads) ? List({pads.top, pads.left}) : Square(0);
  }

  std::string Expression(const Operation& operation, const inference::Convolution& convolution) {
    const std::string input = Padded(operation, convolution.pads, "0.");
    const std::string kernel = Add(operation.constants[0]);
    const std::string bias =
        operation.constants.size() > 1 ? Add(operation.constants[1]) : std::string("None");
    return Call("conv2d",
                {input, kernel, bias, Square(convolution.stride), OwnPads(convolution.pads),
                 Square(convolution.dilation), std::to_string(convolution.groups)});
  }

  std::string Expression(const Operation& operation, const inference::BatchNorm& norm) {
    const std::vector<inference::Constant>& constants = operation.constants;
    const std::string gamma = Add(constants[0]), beta = Add(constants[1]),
                      mean = Add(constants[2], Role::kBuffer),
                      variance = Add(constants[3], Role::kBuffer);
    const std::string is_training = "False", momentum = "0.", with_cudnn = "True";
    return Call("batch_norm", {Input(operation), gamma, beta, mean, variance, is_training, momentum,
                               PythonNumber(norm.epsilon), with_cudnn});
  }

  std::string Expression(const Operation& operation, const inference::Affine&) {
    const Shape shape = OneAChannel(operation);
    const std::string scale = module_.Add(operation.constants[0].name, shape, Role::kParameter);
    return Call("add", {Call("mul", {Input(operation), scale}),
                        module_.Add(operation.constants[1].name, shape, Role::kParameter)});
  }

  std::string Expression(const Operation& operation, const inference::Activation& activation) {
    const std::string input = Input(operation);
    switch (activation.function) {
      case inference::Function::kRelu:
        return Call("relu", {input});
      case inference::Function::kRelu6:
        return Call("hardtanh", {input, "0.", "6."});
      case inference::Function::kHardSigmoid:
        return Call("hardsigmoid", {input});
      case inference::Function::kHardSwish:
        return Call("hardswish", {input});
      case inference::Function::kSigmoid:
        return Call("sigmoid", {input});
      case inference::Function::kSilu:
        return Call("silu", {input});
      case inference::Function::kTanh:
        return Call("tanh", {input});
    }
    return "";
  }

  std::string Expression(const Operation& operation, const inference::Sum&) {
    return Call("add", {Input(operation), Input(operation, 1)});
  }

  std::string Expression(const Operation& operation, const inference::Product&) {
    return Call("mul", {Input(operation), Input(operation, 1)});
  }

  std::string Expression(const Operation& operation, const inference::GlobalPool& pool) {
    return Call(pool.pooling == Pooling::kMax ? "amax" : "mean",
                {Input(operation), List({2, 3}), "True"});
  }

  std::string Expression(const Operation& operation, const inference::MaxPool& pool) {
    const std::string input = Padded(operation, pool.pads, "-inf");
    return Call("max_pool2d", {input, Square(pool.kernel), Square(pool.stride), OwnPads(pool.pads),
                               Square(1), "False"});
  }

  std::string Expression(const Operation& operation, const inference::Flatten&) {
    return Call("flatten", {Call("permute", {Input(operation), List({0, 2, 3, 1})}), "1"});
  }

  std::string Expression(const Operation& operation, const inference::Dense&) {
    const std::string weight = Add(operation.constants[0]);
    return Call("linear", {Input(operation), weight, Add(operation.constants[1])});
  }

  std::string Expression(const Operation& operation, const inference::Softmax&) {
    return Call("softmax", {Input(operation), "1"});
  }

  const std::vector<Operation>& operations_;
  const ExportJob& job_;
  TorchscriptModule& module_;
  TorchscriptNames names_{"self", "torch", "ops", kTorchscriptImages};
  std::string text_;
  std::string picture_;
  std::vector<std::string> outputs_;  // the variable of what each operation gives
};

}  // namespace

std::string TorchscriptForward(const ExportJob& job, TorchscriptModule& module) {
  if (job.graph.picture_zero()) {
    throw Error(ErrorKind::kConfig,
                "--to torchscript writes float32 alone, and this model computes in int8",
                "Add --precision float32, or export it with --to onnx.");
  }
  return ForwardWriter(job, module).Run();
}

}  // namespace weir
