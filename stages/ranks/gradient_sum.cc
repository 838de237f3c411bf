#include "stages/ranks/gradient_sum.h"

#include <algorithm>
#include <vector>

#include "stages/ranks/piece_tree.h"

namespace weir {
namespace {

// A part of the run; a rank's slice of a block.
struct Slice {
  std::size_t begin = 0, count = 0;
};

class Summing {
 public:
  Summing(RankGroup& group, const RankShare& share, int pieces,
          std::span<const std::span<float>> mine, std::span<float> sum, float factor,
          std::span<float> buffer, const RunArithmetic& arithmetic)
      : group_(group),
        rank_(group.place().rank),
        ranks_(group.place().ranks),
        mine_(mine),
        sum_(sum),
        factor_(factor),
        buffer_(buffer),
        arithmetic_(arithmetic) {
    for (int rank = 0; rank < ranks_; ++rank) {
      const int begin = std::min(share.FirstPieceOf(rank), pieces);
      nodes_.push_back(NodesOf(begin, std::min(share.FirstPieceOf(rank + 1), pieces)));
      all_nodes_ += nodes_.back().size();
    }
  }

  void Run() {
    const std::size_t slice = buffer_.size() / all_nodes_;  // the same on all ranks
    const std::size_t block = slice * static_cast<std::size_t>(ranks_);
    for (std::size_t begin = 0; begin < sum_.size(); begin += block) {
      begin_ = begin;
      count_ = std::min(block, sum_.size() - begin);
      FetchOwnSlice();
      AddOwnSlice();
      GiveOwnSlice();
    }
  }

 private:
  Slice SliceOf(int rank) const {
    const auto ranks = static_cast<std::size_t>(ranks_);
    const std::size_t width = (count_ + ranks - 1) / ranks;
    const std::size_t begin = std::min(count_, static_cast<std::size_t>(rank) * width);
    return {begin_ + begin, std::min(width, count_ - begin)};
  }

  void FetchOwnSlice() {
    const Slice own = SliceOf(rank_);
    std::vector<OutBlock> out;
    std::vector<InBlock> in;
    received_.assign(static_cast<std::size_t>(ranks_), {});
    std::size_t used = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      if (rank == rank_) continue;
      const Slice theirs = SliceOf(rank);
      for (const std::span<float>& run : mine_) {
        out.push_back({rank, std::as_bytes(run.subspan(theirs.begin, theirs.count))});
      }
      for (std::size_t i = 0; i < nodes_[static_cast<std::size_t>(rank)].size(); ++i) {
        const std::span<float> place = buffer_.subspan(used, own.count);
        used += own.count;
        received_[static_cast<std::size_t>(rank)].push_back(place.data());
        in.push_back({rank, std::as_writable_bytes(place)});
      }
    }
    group_.Exchange(out, in);
  }

  void AddOwnSlice() {
    const Slice own = SliceOf(rank_);
    if (own.count == 0) return;
    const auto add = [&](float* left, const float* right) {
      arithmetic_.add(left, right, own.count);
    };
    PieceTree<float*> tree;
    for (std::size_t rank = 0; rank < nodes_.size(); ++rank) {
      for (std::size_t i = 0; i < nodes_[rank].size(); ++i) {
        float* const values =
            static_cast<int>(rank) == rank_ ? mine_[i].data() + own.begin : received_[rank][i];
        tree.Push(nodes_[rank][i], values, add);
      }
    }
    const float* const all = tree.Finish(add);
    arithmetic_.scale(sum_.data() + own.begin, all, own.count, factor_);
  }

  void GiveOwnSlice() {
    const Slice own = SliceOf(rank_);
    std::vector<OutBlock> out;
    std::vector<InBlock> in;
    for (int rank = 0; rank < ranks_; ++rank) {
      if (rank == rank_) continue;
      const Slice theirs = SliceOf(rank);
      out.push_back({rank, std::as_bytes(sum_.subspan(own.begin, own.count))});
      in.push_back({rank, std::as_writable_bytes(sum_.subspan(theirs.begin, theirs.count))});
    }
    group_.Exchange(out, in);
  }

  RankGroup& group_;
  const int rank_, ranks_;
  const std::span<const std::span<float>> mine_;
  const std::span<float> sum_;
  const float factor_;
  const std::span<float> buffer_;
  const RunArithmetic& arithmetic_;
  std::vector<std::vector<PieceNode>> nodes_;  // by rank
  std::size_t all_nodes_ = 0;
  std::vector<std::vector<float*>> received_;  // by rank and node: that rank's part of our slice
  std::size_t begin_ = 0, count_ = 0;          // the block
};

}  // namespace

const RunArithmetic& RunArithmetic::OnHost() {
  static const RunArithmetic host{
      .add =
          [](float* sum, const float* more, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) sum[i] += more[i];
          },
      .scale =
          [](float* to, const float* from, std::size_t count, float factor) {
            for (std::size_t i = 0; i < count; ++i) to[i] = from[i] * factor;
          }};
  return host;
}

void SumOverRanks(RankGroup& group, const RankShare& share, int pieces,
                  std::span<const std::span<float>> mine, std::span<float> sum, float factor,
                  std::span<float> buffer, const RunArithmetic& arithmetic) {
  Summing(group, share, pieces, mine, sum, factor, buffer, arithmetic).Run();
}

}  // namespace weir
