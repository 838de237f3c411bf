// Reads and writes oneDNN's maps, which are NHWC, each value once and in a fixed order.
//
// Pure functions; the loops allocate nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>

#include "stages/model/frozen_prefix.h"
#include "stages/model/pixel_table.h"

namespace weir {

// A map [1, C, H, W], the channels of a pixel side by side.
struct MapShape {
  explicit MapShape(const dnnl::memory::desc& desc);  // IsNhwc

  std::size_t channels, pixels;
  dnnl::memory::data_type type;
};

bool IsNhwc(const dnnl::memory::desc& desc);

// uint8 [H, W, 3] into a map of floats.
void WritePixels(const std::uint8_t* pixels, const PixelTable& table, const MapShape& shape,
                 void* map);

// uint8 [H, W, 3] into a map of bytes that is larger by `pads`, which become `zero`.
void WritePadded(const std::uint8_t* pixels, MapSize size, const Pads& pads,
                 const std::array<std::uint8_t, 3>& zero, std::uint8_t* map);

// The map to float32: [H, W, C], or pooled [C], by adding the pixels row by row or by their
// largest; times `scale` where it has bytes.
void ReadMap(const void* map, const MapShape& shape, Pooling pooling, float scale, float* output);

}  // namespace weir
