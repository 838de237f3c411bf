#include "stages/train/sample_gather.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace weir {
namespace {

// At the begin of a rank's block; behind it a record and its values for each sample.
struct Header {
  std::int32_t samples = 0;
  std::int32_t wants_to_stop = 0;
};

int MostSamples(const RankShare& share) {
  int most = 0;
  RankShare each = share;
  for (each.rank = 0; each.rank < share.ranks; ++each.rank) most = std::max(most, each.size());
  return most;
}

}  // namespace

struct SampleGather::Record {
  double loss = 0;
  std::uint64_t order = 0;
  std::uint64_t index = 0;
  std::int64_t label = 0;
};

SampleGather::SampleGather(const RankShare& share, std::size_t values)
    : values_(values),
      most_samples_(MostSamples(share)),
      mine_(block_bytes()),
      all_(block_bytes() * static_cast<std::size_t>(share.ranks)) {
  samples_.reserve(static_cast<std::size_t>(share.batch_size));
}

std::size_t SampleGather::record_bytes() const { return sizeof(Record) + values_ * sizeof(float); }

std::size_t SampleGather::block_bytes() const {
  return sizeof(Header) + static_cast<std::size_t>(most_samples_) * record_bytes();
}

std::size_t SampleGather::bytes(const RankShare& share, std::size_t values) {
  const std::size_t block = sizeof(Header) + static_cast<std::size_t>(MostSamples(share)) *
                                                 (sizeof(Record) + values * sizeof(float));
  return block * static_cast<std::size_t>(share.ranks + 1) +
         static_cast<std::size_t>(share.batch_size) * sizeof(Sample);
}

bool SampleGather::Gather(const Ranks& ranks, std::span<const Sample> mine, const float* from,
                          float* to, std::span<double> losses) {
  const Header own{.samples = static_cast<std::int32_t>(mine.size()),
                   .wants_to_stop = ranks.wants_to_stop() ? 1 : 0};
  std::memcpy(mine_.data(), &own, sizeof own);
  std::byte* written = mine_.data() + sizeof own;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const Record record{losses.empty() ? 0 : losses[i], mine[i].order, mine[i].index,
                        mine[i].label};
    std::memcpy(written, &record, sizeof record);
    std::memcpy(written + sizeof record, from + i * values_, values_ * sizeof(float));
    written += record_bytes();
  }
  AllGather(*ranks.group, mine_, all_);

  samples_.clear();
  bool is_stopping = false;
  for (int rank = 0; rank < ranks.share.ranks; ++rank) {
    const std::byte* read = all_.data() + static_cast<std::size_t>(rank) * block_bytes();
    Header header;
    std::memcpy(&header, read, sizeof header);
    is_stopping = is_stopping || header.wants_to_stop != 0;
    read += sizeof header;
    for (int i = 0; i < header.samples; ++i) {
      Record record;
      std::memcpy(&record, read, sizeof record);
      if (!losses.empty()) losses[samples_.size()] = record.loss;
      std::memcpy(to + samples_.size() * values_, read + sizeof record, values_ * sizeof(float));
      samples_.push_back({.index = record.index,
                          .label = static_cast<int>(record.label),
                          .path = "",
                          .order = record.order});
      read += record_bytes();
    }
  }
  return is_stopping;
}

}  // namespace weir
