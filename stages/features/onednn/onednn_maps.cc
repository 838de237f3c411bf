#include "stages/features/onednn/onednn_maps.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <type_traits>

namespace weir {
namespace {

using DataType = dnnl::memory::data_type;

constexpr std::size_t kLanes = 8;  // channels that are pooled at once

struct BFloat16 {
  std::uint16_t bits;
};

float ToFloat(float value) { return value; }
float ToFloat(std::uint8_t value) { return value; }
float ToFloat(std::int8_t value) { return value; }
float ToFloat(BFloat16 value) { return std::bit_cast<float>(std::uint32_t{value.bits} << 16); }

void Store(float value, float* to) { *to = value; }
void Store(float value, BFloat16* to) {  // to nearest, ties to even; never a NaN here
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  to->bits = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

template <class T>
void Write(const std::uint8_t* pixels, const PixelTable& table, std::size_t count, T* map) {
  for (std::size_t i = 0; i < count; ++i, pixels += 3, map += 3) {
    Store(table[0][pixels[0]], map);
    Store(table[1][pixels[1]], map + 1);
    Store(table[2][pixels[2]], map + 2);
  }
}

// The channels from `channel` on, as many as `lanes`, which is a constant but for the last ones.
template <class T, class Lanes>
void PoolChannels(const T* map, const MapShape& shape, bool average, std::size_t channel,
                  Lanes lanes, float* output) {
  const float factor = 1.0f / static_cast<float>(shape.pixels);
  float value[kLanes];
  std::fill_n(value, kLanes, average ? 0.0f : -std::numeric_limits<float>::infinity());
  const T* pixel = map + channel;
  for (std::size_t count = 0; count < shape.pixels; ++count, pixel += shape.channels) {
    for (std::size_t i = 0; i < lanes; ++i) {
      const float next = ToFloat(pixel[i]);
      value[i] = average ? value[i] + next : std::max(value[i], next);
    }
  }
  for (std::size_t i = 0; i < lanes; ++i) {
    output[channel + i] = average ? value[i] * factor : value[i];
  }
}

template <class T>
void Pool(const T* map, const MapShape& shape, bool average, float* output) {
  constexpr std::integral_constant<std::size_t, kLanes> kAll;
  std::size_t channel = 0;
  for (; channel + kLanes <= shape.channels; channel += kLanes) {
    PoolChannels(map, shape, average, channel, kAll, output);
  }
  const std::size_t rest = shape.channels - channel;
  if (rest > 0) PoolChannels(map, shape, average, channel, rest, output);
}

template <class T>
void Read(const T* map, const MapShape& shape, Pooling pooling, float* output) {
  if (pooling != Pooling::kNone) return Pool(map, shape, pooling == Pooling::kAverage, output);
  for (std::size_t i = 0; i < shape.pixels * shape.channels; ++i) output[i] = ToFloat(map[i]);
}

template <class Byte>
void ReadBytes(const void* map, const MapShape& shape, Pooling pooling, float scale,
               float* output) {
  Read(static_cast<const Byte*>(map), shape, pooling, output);
  const std::size_t pixels = pooling == Pooling::kNone ? shape.pixels : 1;
  for (std::size_t i = 0; i < pixels * shape.channels; ++i) output[i] *= scale;
}

}  // namespace

bool IsNhwc(const dnnl::memory::desc& desc) {
  return desc.get_format_kind() == dnnl::memory::format_kind::blocked &&
         desc == dnnl::memory::desc(desc.get_dims(), desc.get_data_type(),
                                    dnnl::memory::format_tag::nhwc);
}

MapShape::MapShape(const dnnl::memory::desc& desc) {
  assert(IsNhwc(desc));
  const auto dims = desc.get_dims();
  channels = static_cast<std::size_t>(dims[1]);
  pixels = static_cast<std::size_t>(dims[2] * dims[3]);
  type = desc.get_data_type();
}

void WritePixels(const std::uint8_t* pixels, const PixelTable& table, const MapShape& shape,
                 void* map) {
  if (shape.type == DataType::bf16) {
    Write(pixels, table, shape.pixels, static_cast<BFloat16*>(map));
  } else {
    Write(pixels, table, shape.pixels, static_cast<float*>(map));
  }
}

void WritePadded(const std::uint8_t* pixels, MapSize size, const Pads& pads,
                 const std::array<std::uint8_t, 3>& zero, std::uint8_t* map) {
  const auto add_zeros = [&](int count) {
    for (int i = 0; i < count; ++i) map = std::copy(zero.begin(), zero.end(), map);
  };
  const int row_bytes = 3 * size.width;
  const int padded_width = pads.left + size.width + pads.right;
  add_zeros(pads.top * padded_width);
  for (int row = 0; row < size.height; ++row, pixels += row_bytes) {
    add_zeros(pads.left);
    map = std::copy_n(pixels, row_bytes, map);
    add_zeros(pads.right);
  }
  add_zeros(pads.bottom * padded_width);
}

void ReadMap(const void* map, const MapShape& shape, Pooling pooling, float scale, float* output) {
  switch (shape.type) {
    case DataType::u8:
      return ReadBytes<std::uint8_t>(map, shape, pooling, scale, output);
    case DataType::s8:
      return ReadBytes<std::int8_t>(map, shape, pooling, scale, output);
    case DataType::bf16:
      return Read(static_cast<const BFloat16*>(map), shape, pooling, output);
    default:
      return Read(static_cast<const float*>(map), shape, pooling, output);
  }
}

}  // namespace weir
