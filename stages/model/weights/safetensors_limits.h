// What the header of a safetensors file may be. The reader refuses what passes it, and the writer
// does not write it: whatever weir writes it can read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

inline constexpr std::uint64_t kMostSafetensorsHeaderBytes = std::uint64_t{16} << 20;
inline constexpr std::size_t kMostSafetensorsTensors = 131'072;
// Files that weir writes to read them again itself (models, checkpoints, maps) have less: five
// times such a header fits into what every plan keeps free, so that no plan has to count it.
inline constexpr std::uint64_t kMostOwnHeaderBytes = std::uint64_t{3} << 20;
inline constexpr std::size_t kMostOwnTensors = 16'384;
inline constexpr std::size_t kMostSafetensorsDimensions = 8;
inline constexpr std::size_t kMostSafetensorsMetadata = 4'096;  // keys

}  // namespace weir
