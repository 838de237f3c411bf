// A shuffle that is not stored: where each of `count` things goes is worked out from the seed, so a
// million samples take no array, and a pass can start anywhere in its order.
//
// A Feistel network over the next power of four, walked until it lands below the count (Black and
// Rogaway, "Ciphers with arbitrary finite domains", 2002), with a 32-bit mixer as its round
// function: the order looks random, and is not meant to withstand an adversary.
//
// 64 bytes; immutable, any thread. A look-up takes some 50 ns.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

class Permutation {
 public:
  // An order of [0, count): a pure function of all four.
  Permutation(std::uint64_t count, std::uint64_t seed, std::string_view use, std::uint64_t epoch);

  // One to one on [0, count). Not to be called with more.
  std::uint64_t operator()(std::uint64_t position) const;

 private:
  static constexpr int kRounds = 8;

  std::uint64_t count_;
  int half_bits_;
  std::array<std::uint32_t, kRounds> keys_;
};

}  // namespace weir
