#include "stages/model/map_kernels.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "stages/model/for_each_cpu.h"

namespace weir {
namespace {

constexpr std::int64_t kSummedPixels = 64;  // before they are added to a sum that may be long

template <bool kResidual, bool kRelu6>
WEIR_INLINE void Finish(float* rows, std::int64_t count, std::int64_t channels, const float* bias,
                        const float* residual) {
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t i = 0; i < channels; ++i) {
      float value = rows[i] + bias[i];
      if (kResidual) value += residual[i];
      if (kRelu6) {  // NaN stays NaN
        value = value < 0 ? 0 : value;
        value = value > 6 ? 6 : value;
      }
      rows[i] = value;
    }
    rows += channels;
    if (kResidual) residual += channels;
  }
}

// Pixels of one line.
template <bool kMask, bool kSum>
WEIR_INLINE void Pixels(float* gradient, std::int64_t pixels, std::int64_t channels,
                        const float* output, float* sum) {
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t i = 0; i < channels; ++i) {
      if (kMask) gradient[i] = (output[i] > 0) & (output[i] < 6) ? gradient[i] : 0;
      if (kSum) sum[i] += gradient[i];
    }
    gradient += channels;
    if (kMask) output += channels;
  }
}

WEIR_FOR_EACH_CPU void AddBias(float* rows, std::int64_t count, std::int64_t channels,
                               const float* bias) {
  Finish<false, false>(rows, count, channels, bias, nullptr);
}
WEIR_FOR_EACH_CPU void AddBiasRelu6(float* rows, std::int64_t count, std::int64_t channels,
                                    const float* bias) {
  Finish<false, true>(rows, count, channels, bias, nullptr);
}
WEIR_FOR_EACH_CPU void AddBiasAndResidual(float* rows, std::int64_t count, std::int64_t channels,
                                          const float* bias, const float* residual) {
  Finish<true, false>(rows, count, channels, bias, residual);
}

WEIR_FOR_EACH_CPU void Mask(float* gradient, std::int64_t pixels, std::int64_t channels,
                            const float* output) {
  Pixels<true, false>(gradient, pixels, channels, output, nullptr);
}
WEIR_FOR_EACH_CPU void MaskAndAdd(float* gradient, std::int64_t pixels, std::int64_t channels,
                                  const float* output, float* sum) {
  Pixels<true, true>(gradient, pixels, channels, output, sum);
}
WEIR_FOR_EACH_CPU void Add(float* gradient, std::int64_t pixels, std::int64_t channels,
                           float* sum) {
  Pixels<false, true>(gradient, pixels, channels, nullptr, sum);
}

}  // namespace

void FinishRows(float* rows, std::int64_t count, std::int64_t channels, const float* bias,
                const float* residual, bool relu6) {
  assert(residual == nullptr || !relu6);  // no layer has both
  if (residual != nullptr) return AddBiasAndResidual(rows, count, channels, bias, residual);
  if (relu6) return AddBiasRelu6(rows, count, channels, bias);
  AddBias(rows, count, channels, bias);
}

void MaskAndSum(float* gradient, std::int64_t lines, std::int64_t pixels, std::int64_t channels,
                MapLines output, float* sum) {
  std::vector<float> part(sum == nullptr ? 0 : channels);
  for (std::int64_t line = 0; line < lines; ++line) {
    for (std::int64_t begin = 0; begin < pixels; begin += kSummedPixels) {
      const std::int64_t count = std::min(pixels - begin, kSummedPixels);
      const float* of_output =
          output.values == nullptr ? nullptr : output.values + begin * channels;
      float* of_gradient = gradient + begin * channels;
      if (sum == nullptr) {
        Mask(of_gradient, count, channels, of_output);
        continue;
      }
      std::fill(part.begin(), part.end(), 0.0f);
      if (of_output == nullptr) {
        Add(of_gradient, count, channels, part.data());
      } else {
        MaskAndAdd(of_gradient, count, channels, of_output, part.data());
      }
      for (std::int64_t i = 0; i < channels; ++i) sum[i] += part[i];
    }
    gradient += pixels * channels;
    output.values += output.stride;
  }
}

}  // namespace weir
