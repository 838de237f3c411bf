// What each rank has of its samples of a batch, on every rank and in the order of the samples: so
// each has the same as one rank that had the whole batch.
//
// Memory: bytes(). One thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "stages/payloads.h"
#include "stages/ranks/ranks.h"

namespace weir {

class SampleGather {
 public:
  // A sample has `values` floats and a loss.
  SampleGather(const RankShare& share, std::size_t values);

  static std::size_t bytes(const RankShare& share, std::size_t values);

  // `mine` are this rank's samples of the batch, `from` their values, [samples, values]. `to` and
  // `losses` get those of samples(), which are of all ranks: both have room for a whole batch,
  // `losses` has this rank's at its begin, and `to` may be `from`. Where `losses` are empty none
  // are told. Gives whether a rank wants to stop (Ranks::wants_to_stop).
  bool Gather(const Ranks& ranks, std::span<const Sample> mine, const float* from, float* to,
              std::span<double> losses);

  // The last batch's, with everything but their paths.
  const std::vector<Sample>& samples() const { return samples_; }

 private:
  struct Record;
  std::size_t record_bytes() const;  // bytes that a sample takes
  std::size_t block_bytes() const;   // bytes that a rank tells

  const std::size_t values_;
  const int most_samples_;  // that a rank has of a batch
  std::vector<std::byte> mine_, all_;
  std::vector<Sample> samples_;
};

}  // namespace weir
