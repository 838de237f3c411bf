// Kernels of bytes for convolutions that read and write maps of bytes: what `precision: int8` runs,
// and what is exported of it.
//
// A map has one scale, a kernel one for each channel that it makes. What rounding a kernel does to
// the mean of what it makes is taken back in the bias (Nagel et al., "Data-free quantization
// through weight equalization and bias correction", 2019).
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/backbones/network.h"
#include "stages/model/frozen_prefix.h"

namespace weir {

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

// Layer `index`, a convolution of a network whose maps are those of `maps`, as `precision: int8`
// runs it; the first one reads the picture's bytes.
QuantizedConv QuantizeLayer(const Network& network, int index, FoldedConv folded,
                            const Preprocessing& preprocessing,
                            const std::vector<MapStatistics>& maps);

}  // namespace weir
