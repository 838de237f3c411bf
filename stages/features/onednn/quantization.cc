#include "stages/features/onednn/quantization.h"

#include <algorithm>
#include <cassert>
#include <cmath>

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

}  // namespace weir
