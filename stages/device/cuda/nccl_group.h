// Ranks on GPUs: NCCL's communicators, whose blocks are memory of the device.
//
// NCCL's library is looked for by its name when ranks join; libtorch_cuda.so brings it. Its id goes
// through the group that the ranks have on their hosts.
//
// Memory: on the device NCCL's own channels, which nobody can lease and the ledger measures as what
// is outside (100 to 400 MiB are told of; never measured here); a few threads that sleep.
#pragma once

#include <chrono>
#include <memory>

#include "stages/device/device.h"
#include "stages/ranks/rank_group.h"

namespace weir {

// As Device::JoinRanks says, in the thread that issues the device's work, where the group also
// ends. `place` tells the current GPU from all others: no two ranks of a communicator can be on
// one.
JoinedDevices JoinByNccl(const std::string& place, const std::shared_ptr<RankGroup>& hosts,
                         std::chrono::milliseconds timeout);

}  // namespace weir
