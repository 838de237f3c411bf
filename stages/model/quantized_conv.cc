#include "stages/model/quantized_conv.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "framework/error.h"

namespace weir {
namespace {

constexpr float kLargestSignedByte = 127;

}  // namespace

QuantizedConv Quantize(const NetworkLayer& layer, const FoldedConv& folded,
                       const MapStatistics& from, float to_scale) {
  const std::size_t taps = std::size_t(layer.kernel) * layer.kernel;
  const std::size_t inputs = layer.in_channels / layer.groups;
  const std::size_t outputs_of_group = layer.out_channels / layer.groups;
  const std::size_t values = inputs * taps;  // weights of one output channel
  assert(folded.kernel.size() == layer.out_channels * values);
  QuantizedConv quantized;
  quantized.kernel.resize(folded.kernel.size());
  std::vector<double> exact(values);
  for (std::size_t out = 0; out < std::size_t(layer.out_channels); ++out) {
    const float* const kernel = folded.kernel.data() + out * values;
    const std::size_t first_input = out / outputs_of_group * inputs;
    double largest = 0;
    for (std::size_t i = 0; i < values; ++i) {
      exact[i] = double{kernel[i]} * from.scale / to_scale;
      largest = std::max(largest, std::abs(exact[i]));
    }
    const double scale = largest > 0 ? largest / kLargestSignedByte : 1;
    double too_much = 0;  // what rounding adds on average
    for (std::size_t i = 0; i < values; ++i) {
      const double rounded = std::round(exact[i] / scale);
      quantized.kernel[out * values + i] = static_cast<std::int8_t>(rounded);
      too_much += (rounded * scale - exact[i]) * from.means[first_input + i / taps] / from.scale;
    }
    quantized.scales.push_back(static_cast<float>(scale));
    quantized.bias.push_back(static_cast<float>(folded.bias[out] / to_scale - too_much));
  }
  return quantized;
}

void FoldPreprocessing(const Preprocessing& preprocessing, FoldedConv& first) {
  const std::size_t values = first.kernel.size() / first.bias.size();
  const std::size_t taps = values / preprocessing.offset.size();
  for (std::size_t i = 0; i < first.kernel.size(); ++i) {
    const std::size_t channel = i % values / taps;
    first.bias[i / values] += first.kernel[i] * preprocessing.offset[channel];
    first.kernel[i] *= preprocessing.scale[channel];
  }
}

std::array<std::uint8_t, 3> ZeroPixel(const Preprocessing& preprocessing) {
  std::array<std::uint8_t, 3> pixel{};
  for (std::size_t c = 0; c < pixel.size(); ++c) {
    const float byte = std::round(-preprocessing.offset[c] / preprocessing.scale[c]);
    if (!(byte >= 0 && byte <= 255)) {
      throw Error(ErrorKind::kConfig,
                  "precision: int8 reads pictures as they are, and this preprocessing makes 0, "
                  "which lies around them, of no pixel",
                  "Set precision: float32, or another preprocessing.");
    }
    pixel[c] = static_cast<std::uint8_t>(byte);
  }
  return pixel;
}

QuantizedConv QuantizeLayer(const Network& network, int index, FoldedConv folded,
                            const Preprocessing& preprocessing,
                            const std::vector<MapStatistics>& maps) {
  const NetworkLayer& layer = network.layers()[index];
  const float scale = maps.at(index).scale;
  if (layer.input >= 0) return Quantize(layer, folded, maps.at(layer.input), scale);
  FoldPreprocessing(preprocessing, folded);
  return Quantize(layer, folded, {.scale = 1, .means = {0, 0, 0}}, scale);
}

}  // namespace weir
