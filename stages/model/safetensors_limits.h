// What the header of a safetensors file may be. The reader refuses what passes it, and the writer
// does not write it: whatever weir writes to read again it can read. A header is read before the
// plan is made and while the model is loaded, so that four times its bytes have to fit into what
// every plan keeps free. A network for pictures has some thousand tensors at most.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

inline constexpr std::uint64_t kMostSafetensorsHeaderBytes = std::uint64_t{3} << 20;
inline constexpr std::size_t kMostSafetensorsTensors = 16'384;
inline constexpr std::size_t kMostSafetensorsDimensions = 8;
inline constexpr std::size_t kMostSafetensorsMetadata = 4'096;  // keys

// Of features, which are written for others: beside them stand the names of all classes.
inline constexpr std::uint64_t kMostFeaturesHeaderBytes = std::uint64_t{16} << 20;

}  // namespace weir
