// Ranks on processors: c10d's TCPStore and Gloo, as LibTorch's wheel has them.
//
// Memory: 0.2 MiB once joined, up to 4 MiB for what is on its way (measured); three threads that
// sleep unless something is exchanged.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "stages/ranks/rank_group.h"

namespace weir {

struct GlooOptions {
  RankPlace place{};
  std::string address{};  // that of rank 0's machine
  // The port of the store there; 0 on rank 0: a free one, open to this machine alone.
  std::uint16_t port = 0;
  bool has_store = false;  // a launcher has opened the store already
  std::string job{};       // tells this start from others that use the same store
  std::chrono::milliseconds timeout = std::chrono::minutes(5);
  // Called on rank 0 with the port once others may join.
  std::function<void(std::uint16_t)> on_open = [](std::uint16_t) {};
};

// Returns once all have joined. Throws Error(kInterrupted) where they do not within the time-out.
std::shared_ptr<RankGroup> JoinByGloo(const GlooOptions& options);

}  // namespace weir
