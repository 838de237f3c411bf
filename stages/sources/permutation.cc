#include "stages/sources/permutation.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "framework/random.h"

namespace weir {
namespace {

// Below 2^10 the halves are too narrow for the rounds to mix; walking is cheap there.
constexpr int kMinHalfBits = 5;

// The finaliser of MurmurHash3: each bit of the input turns each of the output with a chance of
// half.
std::uint32_t Mix(std::uint32_t bits) {
  bits = (bits ^ bits >> 16) * 0x85EBCA6B;
  bits = (bits ^ bits >> 13) * 0xC2B2AE35;
  return bits ^ bits >> 16;
}

}  // namespace

Permutation::Permutation(std::uint64_t count, std::uint64_t seed, std::string_view use,
                         std::uint64_t epoch)
    : count_(count),
      half_bits_(std::max<int>(kMinHalfBits, (std::bit_width(count > 0 ? count - 1 : 0) + 1) / 2)) {
  CounterRandom random(seed, use, epoch);
  for (std::uint32_t& key : keys_) key = random.Next();
}

std::uint64_t Permutation::operator()(std::uint64_t position) const {
  assert(position < count_);
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  do {
    std::uint64_t left = position >> half_bits_;
    std::uint64_t right = position & mask;
    for (const std::uint32_t key : keys_) {
      const std::uint64_t mixed = left ^ (Mix(static_cast<std::uint32_t>(right) ^ key) & mask);
      left = right;
      right = mixed;
    }
    position = left << half_bits_ | right;
  } while (position >= count_);
  return position;
}

}  // namespace weir
