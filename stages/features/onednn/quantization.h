// 8-bit maps and kernels of the frozen prefix: what is measured on pictures, and what follows from
// it.
//
//   MapMeter meter(model);
//   MakeOneDnnPrefix(model, weights, {..., .watch = meter.Watcher()})->Run(...);   // some pictures
//   const std::vector<MapStatistics> maps = meter.Finish();
//
// A map has one scale, a kernel one for each channel that it makes. What rounding a kernel does to
// the mean of what it makes is taken back in the bias (Nagel et al., "Data-free quantization
// through weight equalization and bias correction", 2019).
//
// One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stages/model/backbones/backbone_weights.h"
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

// A convolution whose sum, times `scales`, plus `bias`, rounded and saturated, is its map.
struct QuantizedConv {
  std::vector<std::int8_t> kernel;  // OIHW
  std::vector<float> scales;        // [out]
  std::vector<float> bias;          // [out]; makes up for what rounding the kernel does to the mean
};
QuantizedConv Quantize(const NetworkLayer& layer, const FoldedConv& folded,
                       const MapStatistics& from, float to_scale);

// For a first layer that reads the picture's bytes in place of what the preprocessing makes of
// them.
void FoldPreprocessing(const Preprocessing& preprocessing, FoldedConv& first);

// The bytes of the pixel that comes closest to the zeros around a map. Throws Error(kConfig) where
// the preprocessing makes no pixel 0.
std::array<std::uint8_t, 3> ZeroPixel(const Preprocessing& preprocessing);

}  // namespace weir
