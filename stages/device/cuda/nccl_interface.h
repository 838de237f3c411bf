// The parts of NCCL's stable C interface that are used here, as its reference guide declares them;
// its header is a package of its own that few have.
#pragma once

#include <climits>
#include <cstddef>

struct CUstream_st;

namespace weir::nccl {

using Status = int;
inline constexpr Status kSuccess = 0;
inline constexpr Status kSystemError = 2;
inline constexpr Status kRemoteError = 6;
inline constexpr Status kInProgress = 7;

using DataType = int;
inline constexpr DataType kUint8 = 1;

struct Communicator;  // opaque

struct UniqueId {
  char internal[128];
};

// As of version 2.18, which it says: later ones have more of it, and take theirs by default.
struct Config {
  std::size_t size = sizeof(Config);
  unsigned magic = 0xcafebeef;
  unsigned version = 21805;
  int blocking = INT_MIN;  // INT_MIN and null pointers: NCCL chooses
  int cluster_size = INT_MIN;
  int least_blocks = INT_MIN;  // thread blocks on the device
  int most_blocks = INT_MIN;
  const char* network = nullptr;
  int shares_split = INT_MIN;
};

}  // namespace weir::nccl
