#include "stages/ranks/rank_group.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>

namespace weir {

// Round by round each rank holds the blocks of those that follow it, itself first: it passes what
// it has to the one that many before it, until it has all; then they are put in their places.
void AllGather(RankGroup& group, std::span<const std::byte> mine, std::span<std::byte> all) {
  const auto [rank, ranks, local_rank, local_ranks] = group.place();
  const std::size_t size = mine.size();
  assert(all.size() == size * static_cast<std::size_t>(ranks));
  std::memcpy(all.data(), mine.data(), size);
  for (int held = 1; held < ranks; held *= 2) {
    const std::size_t count = static_cast<std::size_t>(std::min(held, ranks - held)) * size;
    const OutBlock out{(rank - held + ranks) % ranks, all.first(count)};
    const InBlock in{(rank + held) % ranks,
                     all.subspan(static_cast<std::size_t>(held) * size, count)};
    group.Exchange({&out, 1}, {&in, 1});
  }
  std::rotate(all.begin(), all.end() - static_cast<std::ptrdiff_t>(rank * size), all.end());
}

std::vector<std::string> GatherTexts(RankGroup& group, const std::string& mine) {
  const auto ranks = static_cast<std::size_t>(group.place().ranks);
  const std::uint64_t size = mine.size();
  std::vector<std::uint64_t> sizes(ranks);
  AllGather(group, std::as_bytes(std::span(&size, 1)), std::as_writable_bytes(std::span(sizes)));
  const std::size_t largest = *std::ranges::max_element(sizes);
  std::string padded = mine;
  padded.resize(largest);
  std::string all(ranks * largest, '\0');
  AllGather(group, std::as_bytes(std::span(padded)), std::as_writable_bytes(std::span(all)));
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < ranks; ++i) texts.push_back(all.substr(i * largest, sizes[i]));
  return texts;
}

}  // namespace weir
