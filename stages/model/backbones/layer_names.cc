#include "stages/model/backbones/layer_names.h"

#include <utility>

namespace weir {

LayerNames PyTorchLayer(const std::string& convolution, const std::string& batch_norm) {
  return {.convolution = convolution,
          .batch_norm = batch_norm,
          .kernel = convolution + ".weight",
          .gamma = batch_norm + ".weight",
          .beta = batch_norm + ".bias",
          .mean = batch_norm + ".running_mean",
          .variance = batch_norm + ".running_var"};
}

LayerNames KerasLayer(const std::string& convolution, const std::string& kernel,
                      const std::string& batch_norm) {
  return {.convolution = convolution,
          .batch_norm = batch_norm,
          .kernel = convolution + "/" + kernel,
          .gamma = batch_norm + "/gamma",
          .beta = batch_norm + "/beta",
          .mean = batch_norm + "/moving_mean",
          .variance = batch_norm + "/moving_variance"};
}

LayerNames KerasPositions::Next(bool is_depthwise) {
  const auto numbered = [](const std::string& kind, int& count) {
    const int number = count++;
    return number == 0 ? kind : kind + "_" + std::to_string(number);
  };
  const std::string convolution =
      is_depthwise ? numbered("depthwise_conv2d", depthwise_) : numbered("conv2d", convolutions_);
  return KerasLayer(convolution, "kernel", numbered("batch_normalization", batch_norms_));
}

Naming WithoutFolder(Naming naming) {
  naming.without = std::exchange(naming.folder, {});
  naming.names_layers = false;
  for (LayerNames& layer : naming.layers) {
    for (std::string* name : layer.tensors()) name->erase(0, naming.without.size());
  }
  return naming;
}

Naming WithPrefix(Naming naming, std::string_view prefix) {
  for (LayerNames& layer : naming.layers) {
    for (std::string* name : layer.tensors()) {
      if (!name->empty()) name->insert(0, prefix);
    }
  }
  return naming;
}

bool IsFromTensorFlow(std::string_view tensor) {
  return tensor.ends_with("/moving_variance") || tensor.ends_with(".normalization.running_var");
}

Shape StoredShape(const NetworkLayer& layer, std::size_t index, bool is_keras) {
  const std::int64_t out = layer.out_channels, in = layer.in_channels / layer.groups;
  const std::int64_t kernel = layer.kernel;
  if (index != 0) return {out};  // a vector of the batch norm
  if (!is_keras) return {out, in, kernel, kernel};
  if (layer.is_depthwise()) return {kernel, kernel, out, 1};
  return {kernel, kernel, in, out};
}

}  // namespace weir
