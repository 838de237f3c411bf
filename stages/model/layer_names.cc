#include "stages/model/layer_names.h"

#include <utility>

namespace weir {
namespace {

Naming PyTorchNames(const MobileNetV2& model, std::string_view publisher,
                    std::string ConvLayer::*convolution, std::string ConvLayer::*batch_norm) {
  Naming naming{.publisher = publisher, .layers = {}};
  for (const ConvLayer& layer : model.layers()) {
    const std::string& norm = layer.*batch_norm;
    naming.layers.push_back({layer.*convolution + ".weight", norm + ".weight", norm + ".bias",
                             norm + ".running_mean", norm + ".running_var"});
  }
  return naming;
}

// Those of `mobilenet_v2().features`, which is saved alone as somebody else's backbone.
Naming FeaturesAlone(Naming torchvision) {
  for (LayerNames& layer : torchvision.layers) {
    for (std::string* name : layer.all()) name->erase(0, kTorchvisionFolder.size());
  }
  torchvision.is_features_alone = true;
  return torchvision;
}

// transformers/models/mobilenet_v2/modeling_mobilenet_v2.py: the stem holds the first block too.
std::string TransformersName(const ConvLayer& layer, int blocks) {
  if (layer.block == 0) return "conv_stem.first_conv";
  if (layer.block == blocks) return "conv_1x1";
  const std::string block =
      layer.block == 1 ? "conv_stem." : "layer." + std::to_string(layer.block - 2) + ".";
  if (layer.kind == LayerKind::kDepthwise) return block + "conv_3x3";
  return block + (layer.relu6 ? "expand_1x1" : "reduce_1x1");
}

Naming TransformersNames(const MobileNetV2& model) {
  Naming naming{.publisher = "transformers", .layers = {}};
  for (const ConvLayer& layer : model.layers()) {
    const std::string name = TransformersName(layer, model.layers().back().block);
    const std::string norm = name + ".normalization";
    naming.layers.push_back({name + ".convolution.weight", norm + ".weight", norm + ".bias",
                             norm + ".running_mean", norm + ".running_var"});
  }
  return naming;
}

LayerNames KerasLayer(const std::string& convolution, const std::string& kernel,
                      const std::string& batch_norm) {
  return {convolution + kernel, batch_norm + "/gamma", batch_norm + "/beta",
          batch_norm + "/moving_mean", batch_norm + "/moving_variance"};
}

// `depthwise_kernel` is what a depthwise layer calls its own: "depthwise_kernel" until Keras 2,
// "kernel" in 3.
Naming KerasNames(const MobileNetV2& model, const std::string& depthwise_kernel) {
  Naming naming{.publisher = "Keras", .layers = {}, .is_keras = true};
  for (const ConvLayer& layer : model.layers()) {
    const bool depthwise = layer.kind == LayerKind::kDepthwise;
    naming.layers.push_back(KerasLayer(layer.name, depthwise ? "/" + depthwise_kernel : "/kernel",
                                       layer.batch_norm_name));
  }
  return naming;
}

// Keras 3 counts the layers of each kind: conv2d, conv2d_1, conv2d_2, ...
Naming KerasPositions(const MobileNetV2& model) {
  Naming naming{.publisher = "Keras", .layers = {}, .is_keras = true};
  int convolutions = 0, depthwise = 0, batch_norms = 0;
  const auto numbered = [](const std::string& kind, int& count) {
    const int number = count++;
    return number == 0 ? kind : kind + "_" + std::to_string(number);
  };
  for (const ConvLayer& layer : model.layers()) {
    const std::string convolution = layer.kind == LayerKind::kDepthwise
                                        ? numbered("depthwise_conv2d", depthwise)
                                        : numbered("conv2d", convolutions);
    naming.layers.push_back(
        KerasLayer(convolution, "/kernel", numbered("batch_normalization", batch_norms)));
  }
  return naming;
}

}  // namespace

std::vector<Naming> NamingsOf(const MobileNetV2& model) {
  const Naming torchvision = PyTorchNames(model, "torchvision", &ConvLayer::torchvision_name,
                                          &ConvLayer::torchvision_batch_norm_name);
  return {torchvision,
          PyTorchNames(model, "timm", &ConvLayer::timm_name, &ConvLayer::timm_batch_norm_name),
          KerasNames(model, "kernel"),
          KerasNames(model, "depthwise_kernel"),
          KerasPositions(model),
          TransformersNames(model),
          FeaturesAlone(torchvision)};
}

bool IsFromTensorFlow(std::string_view tensor) {
  return tensor.ends_with("/moving_variance") || tensor.ends_with(".normalization.running_var");
}

Naming WithPrefix(Naming naming, std::string_view prefix) {
  for (LayerNames& layer : naming.layers) {
    for (std::string* name : layer.all()) name->insert(0, prefix);
  }
  return naming;
}

std::vector<std::int64_t> StoredShape(const ConvLayer& layer, std::size_t index, bool is_keras) {
  const std::int64_t out = layer.out_channels, in = layer.in_channels / layer.groups;
  const std::int64_t kernel = layer.kernel;
  if (index != 0) return {out};  // a vector of the batch norm
  if (!is_keras) return {out, in, kernel, kernel};
  if (layer.kind == LayerKind::kDepthwise) return {kernel, kernel, out, 1};
  return {kernel, kernel, in, out};
}

}  // namespace weir
