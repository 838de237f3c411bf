#include "stages/model/weights/containers/element_type.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace weir {
namespace {

static_assert(std::endian::native == std::endian::little, "weights are read as little-endian");

constexpr std::array<std::pair<std::string_view, std::size_t>, 10> kTypes = {{{"F64", 8},
                                                                              {"F32", 4},
                                                                              {"F16", 2},
                                                                              {"BF16", 2},
                                                                              {"I64", 8},
                                                                              {"I32", 4},
                                                                              {"I16", 2},
                                                                              {"I8", 1},
                                                                              {"U8", 1},
                                                                              {"BOOL", 1}}};

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. Exact in float32.
float FromHalf(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = half >> 10 & 31;
  const std::uint32_t fraction = half & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t biased = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | biased << 23 | fraction << 13);
}

float FromBfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

template <class Stored, class Convert>
void Each(const std::byte* bytes, std::size_t stride, std::span<float> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * stride * sizeof stored, sizeof stored);
    out[i] = convert(stored);
  }
}

constexpr auto kCast = [](auto stored) { return static_cast<float>(stored); };

}  // namespace

std::size_t ElementBytes(ElementType type) { return kTypes[static_cast<std::size_t>(type)].second; }

bool IsFloating(ElementType type) {
  return type == ElementType::kF64 || type == ElementType::kF32 || type == ElementType::kF16 ||
         type == ElementType::kBF16;
}

std::string_view Name(ElementType type) { return kTypes[static_cast<std::size_t>(type)].first; }

std::optional<ElementType> ElementTypeNamed(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].first == name) return static_cast<ElementType>(i);
  }
  return std::nullopt;
}

void ConvertToFloat(ElementType type, const std::byte* bytes, std::size_t stride,
                    std::span<float> out) {
  switch (type) {
    case ElementType::kF64:
      return Each<double>(bytes, stride, out, kCast);
    case ElementType::kF32:
      if (stride == 1 && !out.empty()) {
        std::memcpy(out.data(), bytes, out.size_bytes());
        return;
      }
      return Each<float>(bytes, stride, out, kCast);
    case ElementType::kF16:
      return Each<std::uint16_t>(bytes, stride, out, FromHalf);
    case ElementType::kBF16:
      return Each<std::uint16_t>(bytes, stride, out, FromBfloat16);
    case ElementType::kI64:
      return Each<std::int64_t>(bytes, stride, out, kCast);
    case ElementType::kI32:
      return Each<std::int32_t>(bytes, stride, out, kCast);
    case ElementType::kI16:
      return Each<std::int16_t>(bytes, stride, out, kCast);
    case ElementType::kI8:
      return Each<std::int8_t>(bytes, stride, out, kCast);
    case ElementType::kU8:
      return Each<std::uint8_t>(bytes, stride, out, kCast);
    case ElementType::kBool:
      return Each<std::uint8_t>(bytes, stride, out, [](auto b) { return b ? 1.0f : 0.0f; });
  }
}

std::optional<std::uint64_t> ValueCount(std::span<const std::int64_t> shape, std::uint64_t limit) {
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    empty = empty || dimension == 0;
  }
  if (empty) return 0;
  for (const std::int64_t dimension : shape) {
    if (static_cast<std::uint64_t>(dimension) > limit / count) return std::nullopt;
    count *= static_cast<std::uint64_t>(dimension);
  }
  if (count > limit) return std::nullopt;  // the empty product of a scalar
  return count;
}

}  // namespace weir
