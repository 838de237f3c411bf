#include "stages/kernels/dense.h"

#include <array>

#include "stages/kernels/for_each_cpu.h"

namespace weir {
namespace {

constexpr int kLanes = 32;  // sums that do not wait for each other: four registers of AVX2

WEIR_INLINE float Dot(const float* a, const float* b, std::int64_t count) {
  std::array<float, kLanes> sums{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (int lane = 0; i + lane < count; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

}  // namespace

WEIR_FOR_EACH_CPU_ALIKE void MultiplyVector(const float* weight, const float* bias,
                                            const float* from, std::int64_t inputs,
                                            std::int64_t units, float* to) {
  for (std::int64_t unit = 0; unit < units; ++unit) {
    to[unit] = Dot(weight + unit * inputs, from, inputs) + bias[unit];
  }
}

}  // namespace weir
