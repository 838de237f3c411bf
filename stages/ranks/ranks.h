// What stages know of the ranks that train together: a resource, put there by the command where a
// training is shared out, or may be.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "stages/ranks/rank_group.h"
#include "stages/ranks/rank_share.h"

namespace weir {

struct Ranks {
  static constexpr std::string_view kResource = "ranks";

  RankShare share;
  int threads = 1;                     // that run stages, in all of the ranks together
  std::shared_ptr<RankGroup> group{};  // null where this process is the only one
  // What is on the ranks' devices is exchanged by this one; null: over the host, by `group`.
  std::shared_ptr<RankGroup> device_group{};

  // Whether this rank wants the training to stop; asked once a batch. Where one does, all call
  // `stop` behind the same batch, in the thread that trains. Set between passes.
  std::function<bool()> wants_to_stop = [] { return false; };
  std::function<void()> stop = [] {};
};

}  // namespace weir
