#include "stages/model/backbone_weights.h"

#include <cassert>
#include <cmath>

#include "framework/random.h"

namespace weir {
namespace {

std::size_t KernelValues(const ConvLayer& layer) {
  return std::size_t(layer.out_channels) * (layer.in_channels / layer.groups) * layer.kernel *
         layer.kernel;
}

}  // namespace

FoldedConv Fold(const ConvLayer& layer, const ConvWeights& weights, float epsilon) {
  const std::size_t channels = layer.out_channels;
  assert(weights.kernel.size() == KernelValues(layer) && weights.gamma.size() == channels);
  const std::size_t values = weights.kernel.size() / channels;
  FoldedConv folded{std::vector<float>(weights.kernel.size()), std::vector<float>(channels)};
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double factor =
        weights.gamma[channel] / std::sqrt(double{weights.variance[channel]} + double{epsilon});
    for (std::size_t i = channel * values; i < (channel + 1) * values; ++i) {
      folded.kernel[i] = static_cast<float>(weights.kernel[i] * factor);
    }
    folded.bias[channel] =
        static_cast<float>(weights.beta[channel] - weights.mean[channel] * factor);
  }
  return folded;
}

BackboneWeights RandomBackbone(const MobileNetV2& model, std::uint64_t seed) {
  BackboneWeights backbone;
  backbone.layers.reserve(model.layers().size());
  for (const ConvLayer& layer : model.layers()) {
    const double fan_out = double(layer.out_channels) / layer.groups * layer.kernel * layer.kernel;
    const double deviation = std::sqrt(2 / fan_out);
    const std::size_t channels = layer.out_channels;
    ConvWeights weights{.kernel = std::vector<float>(KernelValues(layer)),
                        .gamma = std::vector<float>(channels, 1),
                        .beta = std::vector<float>(channels, 0),
                        .mean = std::vector<float>(channels, 0),
                        .variance = std::vector<float>(channels, 1)};
    CounterRandom random(seed, "backbone/" + layer.name);
    for (float& value : weights.kernel) value = static_cast<float>(deviation * random.Normal());
    backbone.layers.push_back(std::move(weights));
  }
  return backbone;
}

std::size_t BackboneBytes(const MobileNetV2& model) {
  std::size_t bytes = model.layers().size() * sizeof(ConvWeights);
  for (const ConvLayer& layer : model.layers()) {
    bytes += (KernelValues(layer) + 4 * std::size_t(layer.out_channels)) * sizeof(float);
  }
  return bytes;
}

}  // namespace weir
