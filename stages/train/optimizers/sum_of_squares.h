// The sum of the squares of floats, in double and in a fixed order: eight sums of every eighth
// value, which a compiler can keep in vectors, and then those. Internal to this folder; any thread.
#pragma once

#include <cstddef>
#include <span>

namespace weir {

// of(i) for i from 0 to `count`, each a float.
template <class Of>
double SumOfSquares(std::size_t count, const Of& of) {
  constexpr std::size_t kSums = 8;
  double sums[kSums] = {};
  const std::size_t whole = count / kSums * kSums;
  for (std::size_t i = 0; i < whole; i += kSums) {
    for (std::size_t k = 0; k < kSums; ++k) {
      const double value = of(i + k);
      sums[k] += value * value;
    }
  }
  for (std::size_t i = whole; i < count; ++i) {
    const double value = of(i);
    sums[i - whole] += value * value;
  }
  double sum = 0;
  for (const double each : sums) sum += each;
  return sum;
}

inline double SumOfSquares(std::span<const float> values) {
  return SumOfSquares(values.size(), [&](std::size_t i) { return values[i]; });
}

}  // namespace weir
