#include "stages/model/onednn_maps.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>

namespace weir {
namespace {

constexpr int kLanes = 8;  // MobileNetV2's channels are multiples of it

struct BFloat16 {
  std::uint16_t bits;
};

float ToFloat(float value) { return value; }
float ToFloat(BFloat16 value) { return std::bit_cast<float>(std::uint32_t{value.bits} << 16); }

void Store(float value, float* to) { *to = value; }
void Store(float value, BFloat16* to) {  // to nearest, ties to even; never a NaN here
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  to->bits = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

template <class T>
void Write(const std::uint8_t* pixels, const PixelTable& table, const MapLayout& layout, T* map) {
  for (int y = 0; y < layout.height; ++y) {
    T* row = map + y * layout.row_stride;
    T* red = row + layout.channel_offset(0);
    T* green = row + layout.channel_offset(1);
    T* blue = row + layout.channel_offset(2);
    for (int x = 0; x < layout.width; ++x, pixels += 3) {
      Store(table[0][pixels[0]], red + x * layout.pixel_stride);
      Store(table[1][pixels[1]], green + x * layout.pixel_stride);
      Store(table[2][pixels[2]], blue + x * layout.pixel_stride);
    }
  }
}

// Calls `visit` with the eight values from `channel` on, for each pixel, row by row.
template <class T, class Visit>
void ForEachPixel(const T* map, const MapLayout& layout, int channel, Visit visit) {
  const T* lanes = map + layout.channel_offset(channel);
  for (int y = 0; y < layout.height; ++y) {
    const T* pixel = lanes + y * layout.row_stride;
    for (int x = 0; x < layout.width; ++x, pixel += layout.pixel_stride) visit(pixel);
  }
}

template <class T>
void Read(const T* map, const MapLayout& layout, Pooling pooling, float* output) {
  const std::size_t channels = layout.channels;
  const float factor = 1.0f / (static_cast<float>(layout.height) * layout.width);
  for (std::size_t channel = 0; channel < channels; channel += kLanes) {
    float* to = output + channel;
    if (pooling == Pooling::kNone) {
      ForEachPixel(map, layout, channel, [&](const T* pixel) {
        for (int i = 0; i < kLanes; ++i) to[i] = ToFloat(pixel[i]);
        to += channels;
      });
      continue;
    }
    const bool average = pooling == Pooling::kAverage;
    float value[kLanes];
    std::fill_n(value, kLanes, average ? 0.0f : -std::numeric_limits<float>::infinity());
    ForEachPixel(map, layout, channel, [&](const T* pixel) {
      for (int i = 0; i < kLanes; ++i) {
        const float next = ToFloat(pixel[i]);
        value[i] = average ? value[i] + next : std::max(value[i], next);
      }
    });
    for (int i = 0; i < kLanes; ++i) to[i] = average ? value[i] * factor : value[i];
  }
}

}  // namespace

bool IsReadable(const dnnl::memory::desc& desc) {
  return desc.get_format_kind() == dnnl::memory::format_kind::blocked &&
         (desc.get_inner_nblks() == 0 ||
          (desc.get_inner_nblks() == 1 && desc.get_inner_idxs()[0] == 1));
}

bool HasLanes(const dnnl::memory::desc& desc) {
  if (!IsReadable(desc)) return false;
  const MapLayout layout(desc);
  return layout.block % kLanes == 0 || (layout.block == 1 && layout.block_stride == 1);
}

MapLayout::MapLayout(const dnnl::memory::desc& desc) {
  assert(IsReadable(desc));
  const auto shape = desc.get_dims();
  const auto strides = desc.get_strides();
  channels = static_cast<int>(shape[1]);
  height = static_cast<int>(shape[2]);
  width = static_cast<int>(shape[3]);
  if (desc.get_inner_nblks() == 1) block = desc.get_inner_blks()[0];
  block_stride = strides[1];
  row_stride = strides[2];
  pixel_stride = strides[3];
  bfloat16 = desc.get_data_type() == dnnl::memory::data_type::bf16;
}

PixelTable MakePixelTable(const Preprocessing& preprocessing) {
  PixelTable table;
  for (int channel = 0; channel < 3; ++channel) {
    for (int value = 0; value < 256; ++value) {
      table[channel][value] =
          static_cast<float>(value) * preprocessing.scale[channel] + preprocessing.offset[channel];
    }
  }
  return table;
}

void WritePixels(const std::uint8_t* pixels, const PixelTable& table, const MapLayout& layout,
                 void* map) {
  if (layout.bfloat16) {
    Write(pixels, table, layout, static_cast<BFloat16*>(map));
  } else {
    Write(pixels, table, layout, static_cast<float*>(map));
  }
}

void ReadMap(const void* map, const MapLayout& layout, Pooling pooling, float* output) {
  if (layout.bfloat16) {
    Read(static_cast<const BFloat16*>(map), layout, pooling, output);
  } else {
    Read(static_cast<const float*>(map), layout, pooling, output);
  }
}

}  // namespace weir
