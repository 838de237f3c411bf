#include "stages/features/onednn/quantization.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "framework/error.h"

namespace weir {
namespace {

constexpr float kLargestByte = 255, kLargestSignedByte = 127;

float ToScale(float furthest, float levels) { return furthest > 0 ? furthest / levels : 1; }

}  // namespace

MapMeter::MapMeter(const Network& network) : network_(network) {
  for (const NetworkLayer& layer : network.layers()) {
    maps_.push_back({std::vector<double>(layer.out_channels)});
  }
}

MapWatcher MapMeter::Watcher() {
  return [this](int layer, const float* map) { See(layer, map); };
}

void MapMeter::See(int layer, const float* map) {
  Map& seen = maps_[layer];
  const MapSize size = network_.output_size(layer);
  const int pixels = size.height * size.width;
  for (int pixel = 0; pixel < pixels; ++pixel) {
    for (double& sum : seen.sums) {
      sum += *map;
      seen.furthest = std::max(seen.furthest, std::abs(*map));
      ++map;
    }
  }
  seen.pixels += pixels;
}

std::vector<MapStatistics> MapMeter::Finish() const {
  std::vector<MapStatistics> statistics(maps_.size());
  // Maps that are added to one another, directly or through others, are held under the first of
  // them: they share its furthest value.
  std::vector<int> first(maps_.size());
  std::vector<float> furthest(maps_.size());
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    const NetworkLayer& layer = network_.layers()[i];
    const Map& map = maps_[i];
    assert(map.pixels > 0);
    for (const double total : map.sums) {
      statistics[i].means.push_back(static_cast<float>(total / static_cast<double>(map.pixels)));
    }
    first[i] = layer.added < 0 ? static_cast<int>(i) : first[layer.added];
    furthest[first[i]] = std::max(furthest[first[i]], map.furthest);
  }
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    const bool is_unsigned = network_.layers()[i].activation.has_value();
    statistics[i].scale =
        ToScale(furthest[first[i]], is_unsigned ? kLargestByte : kLargestSignedByte);
  }
  return statistics;
}

std::size_t MapMeter::bytes(const Network& network) {
  std::size_t bytes = 0;
  for (const NetworkLayer& layer : network.layers()) bytes += layer.out_channels * sizeof(double);
  return bytes;
}

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

}  // namespace weir
