#include "stages/kernels/map_kernels.h"

#include <algorithm>
#include <vector>

#include "stages/kernels/for_each_cpu.h"

namespace weir {
namespace {

constexpr std::int64_t kSummedPixels = 64;  // before they are added to a sum that may be long

template <bool kAdds, bool kClips>
WEIR_INLINE void Finish(float* rows, std::int64_t count, std::int64_t channels, const float* bias,
                        const float* added, float ceiling) {
  for (std::int64_t row = 0; row < count; ++row) {
    for (std::int64_t i = 0; i < channels; ++i) {
      float value = rows[i] + bias[i];
      if (kAdds) value += added[i];
      if (kClips) {  // NaN stays NaN
        value = value < 0 ? 0 : value;
        value = value > ceiling ? ceiling : value;
      }
      rows[i] = value;
    }
    rows += channels;
    if (kAdds) added += channels;
  }
}

// Pixels of one line.
template <bool kMask, bool kSum>
WEIR_INLINE void Pixels(float* gradient, std::int64_t pixels, std::int64_t channels,
                        const float* output, float ceiling, float* sum) {
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t i = 0; i < channels; ++i) {
      if (kMask) gradient[i] = ((output[i] > 0) & (output[i] < ceiling)) ? gradient[i] : 0;
      if (kSum) sum[i] += gradient[i];
    }
    gradient += channels;
    if (kMask) output += channels;
  }
}

WEIR_FOR_EACH_CPU void AddBias(float* rows, std::int64_t count, std::int64_t channels,
                               const float* bias) {
  Finish<false, false>(rows, count, channels, bias, nullptr, 0);
}
WEIR_FOR_EACH_CPU void AddBiasAndClip(float* rows, std::int64_t count, std::int64_t channels,
                                      const float* bias, float ceiling) {
  Finish<false, true>(rows, count, channels, bias, nullptr, ceiling);
}
WEIR_FOR_EACH_CPU void AddBiasAndMap(float* rows, std::int64_t count, std::int64_t channels,
                                     const float* bias, const float* added) {
  Finish<true, false>(rows, count, channels, bias, added, 0);
}
WEIR_FOR_EACH_CPU void AddBiasAndMapAndClip(float* rows, std::int64_t count, std::int64_t channels,
                                            const float* bias, const float* added, float ceiling) {
  Finish<true, true>(rows, count, channels, bias, added, ceiling);
}

WEIR_FOR_EACH_CPU void Mask(float* gradient, std::int64_t pixels, std::int64_t channels,
                            const float* output, float ceiling) {
  Pixels<true, false>(gradient, pixels, channels, output, ceiling, nullptr);
}
WEIR_FOR_EACH_CPU void MaskAndAdd(float* gradient, std::int64_t pixels, std::int64_t channels,
                                  const float* output, float ceiling, float* sum) {
  Pixels<true, true>(gradient, pixels, channels, output, ceiling, sum);
}
WEIR_FOR_EACH_CPU void Add(float* gradient, std::int64_t pixels, std::int64_t channels,
                           float* sum) {
  Pixels<false, true>(gradient, pixels, channels, nullptr, 0, sum);
}

}  // namespace

void FinishRows(float* rows, std::int64_t count, std::int64_t channels, const float* bias,
                const float* added, std::optional<float> ceiling) {
  if (added != nullptr && ceiling) {
    return AddBiasAndMapAndClip(rows, count, channels, bias, added, *ceiling);
  }
  if (added != nullptr) return AddBiasAndMap(rows, count, channels, bias, added);
  if (ceiling) return AddBiasAndClip(rows, count, channels, bias, *ceiling);
  AddBias(rows, count, channels, bias);
}

void MaskAndSum(float* gradient, std::int64_t lines, std::int64_t pixels, std::int64_t channels,
                MapLines output, float ceiling, float* sum) {
  std::vector<float> part(sum == nullptr ? 0 : channels);
  for (std::int64_t line = 0; line < lines; ++line) {
    for (std::int64_t begin = 0; begin < pixels; begin += kSummedPixels) {
      const std::int64_t count = std::min(pixels - begin, kSummedPixels);
      const float* of_output =
          output.values == nullptr ? nullptr : output.values + begin * channels;
      float* of_gradient = gradient + begin * channels;
      if (sum == nullptr) {
        Mask(of_gradient, count, channels, of_output, ceiling);
        continue;
      }
      std::fill(part.begin(), part.end(), 0.0f);
      if (of_output == nullptr) {
        Add(of_gradient, count, channels, part.data());
      } else {
        MaskAndAdd(of_gradient, count, channels, of_output, ceiling, part.data());
      }
      for (std::int64_t i = 0; i < channels; ++i) sum[i] += part[i];
    }
    gradient += pixels * channels;
    output.values += output.stride;
  }
}

}  // namespace weir
