// The parts of NVML's stable C interface that are used here, as its reference guide declares them;
// its header is a package of its own that few have.
#pragma once

namespace weir::nvml {

using Status = int;
inline constexpr Status kSuccess = 0;
inline constexpr Status kNotFound = 6;
inline constexpr Status kInsufficientSize = 7;
inline constexpr unsigned long long kNotAvailable = ~0ULL;

struct Device;  // opaque

struct Memory {
  unsigned long long total, free, used;  // bytes
};

struct Process {
  unsigned pid;
  unsigned long long used_bytes;
  unsigned gpu_instance, compute_instance;
};

}  // namespace weir::nvml
