// 8-bit maps of the frozen prefix: what is measured on pictures for them. The kernels that go with
// them are quantized_conv.h's.
//
//   MapMeter meter(model);
//   MakeOneDnnPrefix(model, weights, {..., .watch = meter.Watcher()})->Run(...);   // some pictures
//   const std::vector<MapStatistics> maps = meter.Finish();
//
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stages/model/backbones/network.h"
#include "stages/model/frozen_prefix.h"

namespace weir {

// Gathers the statistics of the maps behind all layers of a model, in the order of the pictures.
class MapMeter {
 public:
  explicit MapMeter(const Network& network);

  // Sees the maps of a float32 prefix of all layers. The meter stays where it is meanwhile.
  MapWatcher Watcher();

  // Gives the statistics of the maps so far, at least one of each layer. Maps behind a ReLU or
  // ReLU6 are for uint8, others for int8; those that are added to one another have the same scale.
  std::vector<MapStatistics> Finish() const;

  static std::size_t bytes(const Network& network);

 private:
  struct Map {
    std::vector<double> sums;  // [C]
    float furthest = 0;        // from 0
    std::uint64_t pixels = 0;
  };
  void See(int layer, const float* map);

  const Network network_;
  std::vector<Map> maps_;
};

}  // namespace weir
