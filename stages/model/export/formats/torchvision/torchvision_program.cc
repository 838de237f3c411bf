#include "stages/model/export/formats/torchvision/torchvision_program.h"

#include <cstddef>

#include "framework/error.h"
#include "stages/model/export/formats/python_text.h"
#include "stages/model/export/formats/unfolded_weights.h"
#include "stages/model/head/batch_norm_layer.h"
#include "stages/model/head/dense_layer.h"
#include "stages/model/head/dropout_layer.h"
#include "stages/model/head/flatten_layer.h"

namespace weir {
namespace {

// A kernel has three rows and columns wherever the stride is 2.
constexpr const char* kPaddingOfTensorFlow = R"(
# It was trained with TensorFlow's padding: at stride 2, a side of even size has no zeros in front.
def pad(module, inputs):
    height, width = inputs[0].shape[2:]
    return torch.nn.functional.pad(inputs[0], (width % 2, 1, height % 2, 1))

for module in model.modules():
    if isinstance(module, torch.nn.Conv2d) and module.stride == (2, 2):
        module.padding = (0, 0)
        module.register_forward_pre_hook(pad)

)";

std::string Dropout(double rate) { return "torch.nn.Dropout(" + PythonNumber(rate) + ")"; }

// Empty where nothing follows: a softmax is taken of what the model gives.
std::string_view ModuleOf(Activation activation) {
  switch (activation) {
    case Activation::kLinear:
    case Activation::kSoftmax:
      return "";
    case Activation::kRelu:
      return "torch.nn.ReLU()";
    case Activation::kRelu6:
      return "torch.nn.ReLU6()";
    case Activation::kSigmoid:
      return "torch.nn.Sigmoid()";
    case Activation::kTanh:
      return "torch.nn.Tanh()";
  }
  return "";
}

class ClassifierBuilder {
 public:
  explicit ClassifierBuilder(const Model& model) : model_(model) {}

  TorchvisionClassifier Build() {
    const Head& head = model_.head();
    if (head.front()->pooling() != Pooling::kAverage) {
      throw Error(ErrorKind::kConfig,
                  "--to torchvision: the head begins with " + std::string(head.front()->name()) +
                      ", and torchvision's networks with the mean of each channel",
                  "Export it with --to onnx, or train a head that begins with "
                  "global_average_pooling.");
    }
    std::size_t layer = 1;
    const auto* dropout = dynamic_cast<const DropoutLayer*>(head.at(layer).get());
    if (dropout) ++layer;
    made_.dropout = dropout ? dropout->rate() : 0;
    made_.modules = {Dropout(made_.dropout)};
    for (; layer < head.size(); ++layer) Add(static_cast<int>(layer));
    return std::move(made_);
  }

 private:
  void Add(int layer) {
    const HeadLayer& it = *model_.head()[layer];
    const std::string inputs = std::to_string(model_.head_input_dims(layer).back());
    if (const auto* dense = dynamic_cast<const DenseLayer*>(&it)) {
      AddWithArrays(layer,
                    "torch.nn.Linear(" + inputs + ", " + std::to_string(dense->units()) + ")");
      const std::string_view activation = ModuleOf(dense->activation());
      if (!activation.empty()) made_.modules.emplace_back(activation);
    } else if (const auto* norm = dynamic_cast<const BatchNormLayer*>(&it)) {
      AddWithArrays(layer, "torch.nn.BatchNorm1d(" + inputs +
                               ", eps=" + PythonNumber(norm->epsilon()) + ", momentum=1 - " +
                               PythonNumber(norm->momentum()) + ")");
    } else if (const auto* dropout = dynamic_cast<const DropoutLayer*>(&it)) {
      made_.modules.push_back(Dropout(dropout->rate()));
    } else if (!dynamic_cast<const FlattenLayer*>(&it)) {  // a vector is flat
      throw Error(ErrorKind::kInternal, "no module of PyTorch's is a " + std::string(it.name()));
    }
  }

  void AddWithArrays(int layer, std::string module) {
    made_.names["head." + std::to_string(layer)] =
        "classifier." + std::to_string(made_.modules.size());
    made_.modules.push_back(std::move(module));
  }

  const Model& model_;
  TorchvisionClassifier made_;
};

std::string SequentialText(const std::vector<std::string>& modules) {
  std::string text;
  for (const std::string& module : modules) text += "    " + module + ",\n";
  return "torch.nn.Sequential(\n" + text + ")";
}

}  // namespace

TorchvisionClassifier ClassifierOf(const Model& model) { return ClassifierBuilder(model).Build(); }

std::string TorchvisionProgram(const ExportJob& job) {
  const Model& model = job.graph.model();
  const TorchvisionClassifier classifier = ClassifierOf(model);
  const MapSize size = model.network().input();
  std::string text =
      "import torch\nimport torchvision\n\n" +
      FeedingComment(
          job, "[N, 3, " + std::to_string(size.height) + ", " + std::to_string(size.width) + "]") +
      "# It gives logits: the softmax of them are the probabilities.\nmodel = torchvision.models." +
      model.config().backbone.name +
      "(\n    num_classes=" + std::to_string(model.classes().size()) +
      ", width_mult=" + PythonNumber(model.backbone().width()) +
      ", dropout=" + PythonNumber(classifier.dropout) + ")\n";
  if (!classifier.is_torchvisions()) {
    text += "model.classifier = " + SequentialText(classifier.modules) + "\n";
  }
  if (!IsPaddedAs(Padding::kSymmetric, model)) text += kPaddingOfTensorFlow;
  return text;
}

std::string TorchvisionLoading(const std::filesystem::path& path) {
  const std::string file = PythonText(path.string());
  const std::string loaded = path.extension() == ".safetensors"
                                 ? "safetensors.torch.load_file(" + file + ")"
                                 : "torch.load(" + file + ", weights_only=True)";
  return (path.extension() == ".safetensors" ? "import safetensors.torch\n" : "") +
         ("model.load_state_dict(" + loaded + ")\nmodel.eval()\n");
}

}  // namespace weir
