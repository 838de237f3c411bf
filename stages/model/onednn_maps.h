// Reads and writes maps in the layouts that oneDNN chooses, each value once and in a fixed order.
//
// Pure functions; the loops allocate nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>

#include "stages/model/frozen_prefix.h"

namespace weir {

// Where a value of a map [1, C, H, W] lies; strides in values. Channels are in blocks (nChw8c) or
// in blocks of one (nchw, nhwc).
struct MapLayout {
  explicit MapLayout(const dnnl::memory::desc& desc);  // IsReadable

  int channels, height, width;
  std::size_t block = 1;
  std::size_t block_stride, row_stride, pixel_stride;
  bool bfloat16;

  std::size_t channel_offset(std::size_t channel) const {
    return channel / block * block_stride + channel % block;
  }
};

// Whether a MapLayout can say it, and whether eight channels in a row are then neighbours.
bool IsReadable(const dnnl::memory::desc& desc);
bool HasLanes(const dnnl::memory::desc& desc);

// What each channel's 256 values become: x * scale + offset. Looking it up is twice as fast as
// working it out where the channels are apart (3 KB).
using PixelTable = std::array<std::array<float, 256>, 3>;
PixelTable MakePixelTable(const Preprocessing& preprocessing);

// uint8 [H, W, 3] into the map.
void WritePixels(const std::uint8_t* pixels, const PixelTable& table, const MapLayout& layout,
                 void* map);

// The map to float32: [H, W, C], or pooled [C], by adding the pixels row by row or by their
// largest. Needs HasLanes.
void ReadMap(const void* map, const MapLayout& layout, Pooling pooling, float* output);

}  // namespace weir
