// What the header of a safetensors file may be. The reader refuses what passes it, and the writer
// does not write it: whatever weir writes it can read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

inline constexpr std::uint64_t kMostSafetensorsHeaderBytes = std::uint64_t{16} << 20;
inline constexpr std::size_t kMostSafetensorsTensors = 131'072;
inline constexpr std::size_t kMostSafetensorsDimensions = 8;
inline constexpr std::size_t kMostSafetensorsMetadata = 4'096;  // keys

}  // namespace weir
