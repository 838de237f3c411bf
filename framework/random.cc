#include "framework/random.h"

#include <cmath>
#include <numbers>

namespace weir {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

}  // namespace

std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kMultiplier0} * counter[0];
    const std::uint64_t product1 = std::uint64_t{kMultiplier1} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::uint64_t StableHash(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001B3;
  return hash;
}

CounterRandom::CounterRandom(std::uint64_t seed, std::string_view use, std::uint64_t epoch,
                             std::uint64_t index)
    : counter_{0, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(index),
               static_cast<std::uint32_t>(index >> 32)} {
  const std::uint64_t key = StableHash(use) ^ (seed * 0x9E3779B97F4A7C15);
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

std::uint32_t CounterRandom::Next() {
  if (used_ == 4) {
    block_ = Philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

double CounterRandom::Uniform() {
  const std::uint64_t high = Next() >> 5;
  const std::uint64_t low = Next() >> 6;
  return static_cast<double>(high << 26 | low) * 0x1p-53;
}

double CounterRandom::Uniform(double low, double high) { return low + (high - low) * Uniform(); }

std::uint64_t CounterRandom::Below(std::uint64_t count) {
  const std::uint64_t excess = -count % count;  // 2^64 mod count
  std::uint64_t bits;
  do {
    const std::uint64_t high = Next();
    bits = high << 32 | Next();
  } while (bits < excess);
  return bits % count;
}

double CounterRandom::Normal() {
  const double radius = std::sqrt(-2 * std::log1p(-Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

}  // namespace weir
