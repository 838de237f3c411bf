// Random numbers that are a pure function of what they are for, so that neither threads nor a
// resumed run change them: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", 2011), keyed by the seed and the use, counted by epoch and index.
//
//   CounterRandom random(seed, "augment", epoch, sample);
//   const double zoom = random.Uniform(0.8, 1.2);
//
// Cheap to make and to copy; each object is used by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

class CounterRandom {
 public:
  CounterRandom(std::uint64_t seed, std::string_view use, std::uint64_t epoch = 0,
                std::uint64_t index = 0);

  std::uint32_t Next();                      // 32 uniform bits
  double Uniform();                          // in [0, 1), 53 bits
  double Uniform(double low, double high);   // in [low, high)
  std::uint64_t Below(std::uint64_t count);  // in [0, count), unbiased; count > 0
  double Normal();                           // mean 0, variance 1 (Box and Muller, 1958)

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;  // [block, epoch, index low, index high]
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;  // words of block_ that have been given out
};

// One block of Philox4x32-10; public for its known-answer test.
std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

// FNV-1a, 64 bits: a hash that is the same on every machine.
std::uint64_t StableHash(std::string_view text);

}  // namespace weir
