// The sum of gradients over all ranks, in the order that PieceTree has, on every rank.
//
// The run is summed in blocks. Of each block a rank gets its slice from all others, adds the slices
// up and gives the sum to all: so each rank sends and receives a run about twice, whatever the
// number of ranks, and every rank has the same bits, as each value was added up in one place.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "stages/ranks/rank_group.h"
#include "stages/ranks/rank_share.h"

namespace weir {

inline constexpr std::size_t kSumBufferValues = std::size_t{1} << 20;  // 4 MiB

// What is done to the values of a run, where they are: each by itself, rounded once.
struct RunArithmetic {
  std::function<void(float* sum, const float* more, std::size_t count)> add;  // sum += more
  // to = from * factor; the two may be the same.
  std::function<void(float* to, const float* from, std::size_t count, float factor)> scale;

  static const RunArithmetic& OnHost();
};

// `mine` are the sums of this rank's pieces, as NodesOf(first_piece, end_piece) lists them, of a
// batch of `pieces` in all; each is as long as `sum`, which may be the first of them. `sum` becomes
// `factor` times the sum of all pieces of all ranks. What `mine` holds is lost. `buffer` has
// kSumBufferValues. All of them are where the group's blocks are, and where `arithmetic` works.
// Throws Error as RankGroup::Exchange.
void SumOverRanks(RankGroup& group, const RankShare& share, int pieces,
                  std::span<const std::span<float>> mine, std::span<float> sum, float factor,
                  std::span<float> buffer,
                  const RunArithmetic& arithmetic = RunArithmetic::OnHost());

}  // namespace weir
