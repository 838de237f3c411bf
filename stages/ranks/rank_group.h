// The processes that train one model together, and what they tell each other.
//
// Every rank makes the same calls in the same order. One thread at a time. What is exchanged is not
// copied beside what a transport keeps of it (a few MiB, gloo_group.h). Blocks are memory of the
// host, but those of a group that a device made (Device::JoinRanks): there they are the device's.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace weir {

struct RankPlace {
  int rank = 0, ranks = 1;              // in all
  int local_rank = 0, local_ranks = 1;  // on this machine
};

// A block of bytes that goes to a rank, or comes from it.
struct OutBlock {
  int rank = 0;
  std::span<const std::byte> bytes;
};
struct InBlock {
  int rank = 0;
  std::span<std::byte> bytes;
};

class RankGroup {
 public:
  virtual ~RankGroup() = default;

  virtual RankPlace place() const = 0;

  // Sends and receives all, and returns once that is done. What goes from one rank to another
  // arrives in the order in which it is listed; both sides list it with the same size. Throws
  // Error(kInterrupted) that names a rank where that one is gone, or does not answer in time.
  virtual void Exchange(std::span<const OutBlock> out, std::span<const InBlock> in) = 0;
};

// Every rank's bytes on every rank: `all` holds place().ranks blocks of mine.size(), by rank. In
// ceil(log2(ranks)) rounds (Bruck and others, "Efficient algorithms for all-to-all communications
// in multiport message-passing systems", 1997).
void AllGather(RankGroup& group, std::span<const std::byte> mine, std::span<std::byte> all);

// The same of texts of any size.
std::vector<std::string> GatherTexts(RankGroup& group, const std::string& mine);

}  // namespace weir
