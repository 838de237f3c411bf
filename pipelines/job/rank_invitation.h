// Whether this process is one of several that train together, as a launcher says in the
// environment:
//
//   torchrun, and whoever sets the same   RANK WORLD_SIZE MASTER_ADDR MASTER_PORT, and where they
//                                         are set LOCAL_RANK LOCAL_WORLD_SIZE
//   srun                                  SLURM_PROCID SLURM_STEP_NUM_TASKS SLURM_LOCALID ...
//   mpirun (Open MPI)                     OMPI_COMM_WORLD_RANK OMPI_COMM_WORLD_SIZE ...
//
// Under the last two MASTER_ADDR and MASTER_PORT are taken where they are set, too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "stages/ranks/rank_group.h"

namespace weir {

struct RankInvitation {
  RankPlace place{};
  std::string address{};   // that of rank 0's machine
  std::uint16_t port = 0;  // where the ranks meet there
  bool has_store = false;  // the launcher has opened the store that they meet at
  std::string job{};       // what tells this start from another by the same launcher
};

using Environment = std::function<const char*(const char*)>;  // getenv

// Nothing where there is no launcher, or it has started one process alone. Throws Error(kConfig)
// where a variable is missing or makes no sense.
std::optional<RankInvitation> InvitationIn(const Environment& environment);

}  // namespace weir
