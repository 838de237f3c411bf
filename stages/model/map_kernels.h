// What follows a convolution, in one pass over a map in float32 on the host where LibTorch takes
// one for each of its steps. Every number is computed for itself or added up in an order of its
// place: the bits are the same on every instruction set. Any thread; nothing is allocated but one
// sum a channel.
#pragma once

#include <cstdint>

namespace weir {

// rows + bias (+ residual), held between 0 and 6 where it is a ReLU6, in place. `rows` and
// `residual` are [count, channels]; `residual` is null where none is added.
void FinishRows(float* rows, std::int64_t count, std::int64_t channels, const float* bias,
                const float* residual, bool relu6);

// Lines of a map, `stride` values from one to the next; null where there are none.
struct MapLines {
  const float* values = nullptr;
  std::int64_t stride = 0;
};

// Makes the gradient of a ReLU6 of that of its output: 0 where `output` is not between 0 and 6.
// Then adds what is there to `sum`, of [channels], where it is not null. `gradient` is [lines,
// pixels, channels] without gaps, `output`, where there is any, has as many lines.
void MaskAndSum(float* gradient, std::int64_t lines, std::int64_t pixels, std::int64_t channels,
                MapLines output, float* sum);

}  // namespace weir
