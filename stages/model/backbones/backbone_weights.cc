#include "stages/model/backbones/backbone_weights.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "framework/random.h"

namespace weir {
namespace {

std::size_t KernelValues(const NetworkLayer& layer) {
  return std::size_t(layer.out_channels) * (layer.in_channels / layer.groups) * layer.kernel *
         layer.kernel;
}

}  // namespace

FoldedConv Fold(const NetworkLayer& layer, const ConvWeights& weights, float epsilon) {
  const std::size_t channels = layer.out_channels;
  assert(weights.kernel.size() == KernelValues(layer) && weights.beta.size() == channels);
  if (layer.kind == NetworkLayer::Kind::kDense) return {weights.kernel, weights.beta};
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

LayerReader RandomLayers(const Network& network, std::uint64_t seed) {
  return [layers = network.layers(), seed](int index) {
    const NetworkLayer& layer = layers.at(index);
    const double fan_out = double(layer.out_channels) / layer.groups * layer.kernel * layer.kernel;
    const double deviation = std::sqrt(2 / fan_out);
    const std::size_t channels = layer.out_channels;
    ConvWeights weights{.kernel = std::vector<float>(KernelValues(layer)),
                        .beta = std::vector<float>(channels, 0)};
    if (layer.kind == NetworkLayer::Kind::kConv) {
      weights.gamma.assign(channels, 1);
      weights.mean.assign(channels, 0);
      weights.variance.assign(channels, 1);
    }
    CounterRandom random(seed, "backbone/" + layer.name);
    for (float& value : weights.kernel) value = static_cast<float>(deviation * random.Normal());
    return weights;
  };
}

std::size_t LayerReadingBytes(const Network& network) {
  constexpr std::size_t kCopies = 3;
  std::size_t values = 0;
  for (const NetworkLayer& layer : network.layers()) {
    values = std::max(values, KernelValues(layer) + 4 * std::size_t(layer.out_channels));
  }
  return kCopies * values * sizeof(float);
}

}  // namespace weir
