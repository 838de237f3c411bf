#include "stages/model/export/formats/keras/keras_program.h"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "framework/error.h"
#include "stages/model/export/formats/python_text.h"
#include "stages/model/export/formats/unfolded_weights.h"
#include "stages/model/head/batch_norm_layer.h"
#include "stages/model/head/dense_layer.h"
#include "stages/model/head/dropout_layer.h"
#include "stages/model/head/flatten_layer.h"

namespace weir {
namespace {

void CheckPadding(const Model& model) {
  if (IsPaddedAs(Padding::kSame, model)) return;
  throw Error(ErrorKind::kConfig,
              "--to keras: the model was trained with torchvision's padding, and Keras' " +
                  std::string(model.backbone().kind().title) +
                  " pads maps of stride 2 otherwise, so that it would compute something else",
              "Export it with --to torchvision or onnx, or train from Keras' weights: "
              "model.backbone.weights: imagenet_keras.");
}

std::string DenseText(const DenseLayer& dense, bool is_last) {
  const Activation activation = is_last ? Activation::kSoftmax : dense.activation();
  std::string text = "layers.Dense(" + std::to_string(dense.units());
  if (activation != Activation::kLinear) {
    text += ", activation=" + PythonText(NameIn(activation));
  }
  return text + ")";
}

// The layer as Keras makes it.
std::string LayerText(const HeadLayer& layer, bool is_last) {
  if (const auto* dense = dynamic_cast<const DenseLayer*>(&layer)) {
    return DenseText(*dense, is_last);
  }
  if (const auto* norm = dynamic_cast<const BatchNormLayer*>(&layer)) {
    return "layers.BatchNormalization(momentum=" + PythonNumber(norm->momentum()) +
           ", epsilon=" + PythonNumber(norm->epsilon()) + ")";
  }
  if (const auto* dropout = dynamic_cast<const DropoutLayer*>(&layer)) {
    return "layers.Dropout(" + PythonNumber(dropout->rate()) + ")";
  }
  if (dynamic_cast<const FlattenLayer*>(&layer)) return "layers.Flatten()";
  if (layer.pooling() == Pooling::kAverage) return "layers.GlobalAveragePooling2D()";
  if (layer.pooling() == Pooling::kMax) return "layers.GlobalMaxPooling2D()";
  throw Error(ErrorKind::kInternal, "no layer of Keras' is a " + std::string(layer.name()));
}

}  // namespace

std::string KerasProgram(const ExportJob& job) {
  const Model& model = job.graph.model();
  CheckPadding(model);
  const MapSize size = model.network().input();
  const std::string sizes = std::to_string(size.height) + ", " + std::to_string(size.width) + ", 3";
  std::string text =
      "import keras\nfrom keras import layers\n\n" + FeedingComment(job, "[N, " + sizes + "]") +
      "base = keras.applications." + std::string(model.backbone().kind().title) +
      "(\n    weights=None, include_top=False, alpha=" + PythonNumber(model.backbone().width()) +
      ", input_shape=(" + sizes + "))\nx = base.output\n";
  for (std::size_t i = 0; i < model.head().size(); ++i) {
    text += "x = " + LayerText(*model.head()[i], i + 1 == model.head().size()) + "(x)\n";
  }
  return text + "model = keras.Model(base.input, x)\n";
}

std::string KerasLoading(const std::filesystem::path& path) {
  return "model.load_weights(" + PythonText(path.string()) + ")\n";
}

}  // namespace weir
