// What follows a convolution, in one pass over a map in float32 on the host where LibTorch takes
// one for each of its steps. Every number is computed for itself or added up in an order of its
// place: the bits are the same on every instruction set. Any thread; nothing is allocated but one
// sum a channel.
#pragma once

#include <cstdint>
#include <optional>

namespace weir {

// rows + bias (+ added), then held between 0 and `ceiling` where there is one (6 for a ReLU6,
// infinity for a ReLU), in place. `rows` and `added` are [count, channels]; `added` is null where
// there is none.
void FinishRows(float* rows, std::int64_t count, std::int64_t channels, const float* bias,
                const float* added, std::optional<float> ceiling);

// Lines of a map, `stride` values from one to the next; null where there are none.
struct MapLines {
  const float* values = nullptr;
  std::int64_t stride = 0;
};

// Makes the gradient of what FinishRows holds between 0 and `ceiling` of that of its output: 0
// where `output` is at one of the two. Then adds what is there to `sum`, of [channels], where it is
// not null. `gradient` is [lines, pixels, channels] without gaps, `output`, where there is any, has
// as many lines.
void MaskAndSum(float* gradient, std::int64_t lines, std::int64_t pixels, std::int64_t channels,
                MapLines output, float ceiling, float* sum);

}  // namespace weir
