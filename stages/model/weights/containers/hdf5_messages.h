// What the messages of an HDF5 object header say, as far as Keras' files use them.
// Format: "HDF5 File Format Specification Version 3.0", section IV.A.2.
//
// Pure functions on bytes that nobody vouches for: empty where they are cut short, or say what is
// not read. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/weights/containers/element_type.h"

namespace weir {

inline constexpr std::uint64_t kHdf5Undefined = ~std::uint64_t{0};  // the address of nothing

struct Hdf5Type {
  enum Kind { kNumber, kText, kVariableText } kind = kNumber;
  ElementType element = ElementType::kF32;  // what a number is, little-endian
  std::size_t bytes = 0;                    // the size of one value
};
std::optional<Hdf5Type> ParseHdf5Type(std::span<const std::byte> message);

// Empty for a null dataspace too; a scalar has no dimensions.
std::optional<Shape> ParseHdf5Shape(std::span<const std::byte> message);

struct Hdf5Layout {
  std::span<const std::byte> compact;  // the values, where the header itself holds them
  std::uint64_t address = kHdf5Undefined;
  std::uint64_t bytes = 0;
};
std::optional<Hdf5Layout> ParseHdf5Layout(std::span<const std::byte> message);  // not chunked ones

// The name alone, without a copy of the rest.
std::optional<std::string_view> ParseHdf5AttributeName(std::span<const std::byte> message);

struct Hdf5Attribute {
  std::string_view name;
  std::optional<Hdf5Type> type;  // empty for one that is not read
  std::optional<Shape> shape;    // likewise
  std::span<const std::byte> values;
};
std::optional<Hdf5Attribute> ParseHdf5Attribute(std::span<const std::byte> message);

struct Hdf5Link {
  std::string_view name;
  std::uint64_t address = kHdf5Undefined;  // undefined for one that is not hard
};
std::optional<Hdf5Link> ParseHdf5Link(std::span<const std::byte> message);

}  // namespace weir
