// The number types that weight files store, and their way into float32.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weir {

enum class ElementType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

std::size_t ElementBytes(ElementType type);
bool IsFloating(ElementType type);  // else it has whole numbers or truth values

// safetensors' names ("F32", "BF16", "BOOL"); empty for one that is not read.
std::string_view Name(ElementType type);
std::optional<ElementType> ElementTypeNamed(std::string_view name);

// `bytes` is little-endian, of any alignment, and holds out.size() elements `stride` elements
// apart. Each is rounded once, to nearest.
void ConvertToFloat(ElementType type, const std::byte* bytes, std::size_t stride,
                    std::span<float> out);

// The product of a shape, or empty if a dimension is negative or it does not fit `limit`.
std::optional<std::uint64_t> ValueCount(std::span<const std::int64_t> shape, std::uint64_t limit);

}  // namespace weir
