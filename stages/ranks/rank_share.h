// Which samples of a pass are a rank's, and how a batch is cut for the sum of its gradients.
//
// Ranks are processes that train one model together. A batch is a window of orders (Batching); it
// is cut by order into pieces of one size, of which the last may be smaller, and rank r of N has
// the pieces from r P / N on, up to (r + 1) P / N. Gradients are added within a piece in the order
// of position and over the pieces in a binary tree (piece_tree.h). Both follow from the sizes of
// the batch and of a piece alone, so that a sum has the same bits for any number of ranks.
//
// Pure arithmetic; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "framework/flow/pass.h"

namespace weir {

struct RankShare {
  static constexpr std::string_view kResource = "rank share";

  int rank = 0, ranks = 1;  // rank < ranks <= pieces()
  int batch_size = 1;       // samples of a batch, those of all ranks together
  int piece_size = 1;       // samples of a piece

  static RankShare Alone(int batch_size) {
    return {.batch_size = batch_size, .piece_size = batch_size};
  }

  int pieces() const { return PiecesOf(batch_size); }
  int PiecesOf(std::uint64_t samples) const {  // the last window of a pass may have fewer
    const auto size = static_cast<std::uint64_t>(piece_size);
    return static_cast<int>((samples + size - 1) / size);
  }
  int first_piece() const { return FirstPieceOf(rank); }
  int end_piece() const { return FirstPieceOf(rank + 1); }
  int FirstPieceOf(int of_rank) const {
    return static_cast<int>(std::int64_t{of_rank} * pieces() / ranks);
  }

  // Samples of a batch that are this rank's, and where they begin in it.
  int first_sample() const { return first_piece() * piece_size; }
  int size() const { return std::min(end_piece() * piece_size, batch_size) - first_sample(); }

  // The order of this rank's sample `n`, counted from 0, in a pass that begins with a batch.
  std::uint64_t OrderOf(std::uint64_t n) const {
    const auto own = static_cast<std::uint64_t>(size());
    return n / own * static_cast<std::uint64_t>(batch_size) +
           static_cast<std::uint64_t>(first_sample()) + n % own;
  }

  // Passes over these are shared out; each rank has all of any other.
  static bool IsShared(Split split) {
    return split == Split::kTrain || split == Split::kValidation;
  }
};

}  // namespace weir
