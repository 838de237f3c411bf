// How the gradient of a depthwise kernel is cut in partial sums, so that they are always added up
// in the same order: it follows from the shapes of the maps, and not from the card. Read as C++17,
// by nvcc too.
#pragma once

#include <algorithm>
#include <cstddef>

#include "stages/kernels/depthwise_maps.h"

namespace weir {

// The pixels of the output, numbered through the batch, in runs: a partial sum for each.
struct DepthwiseSlices {
  // How many partial sums are added to one, in their order; twice is enough for all of them.
  static constexpr std::size_t kFan = 64;

  explicit DepthwiseSlices(const DepthwiseMaps& maps)
      : values(static_cast<std::size_t>(maps.channels) * 9),
        all_pixels(static_cast<std::size_t>(maps.count) * maps.out_height * maps.out_width) {
    const std::size_t threads_of_slice = (static_cast<std::size_t>(maps.channels) + 3) / 4;
    const std::size_t most = std::clamp<std::size_t>(kThreads / threads_of_slice, 1, kFan * kFan);
    pixels = std::max(kLeastPixels, (all_pixels + most - 1) / most);
    count = std::max<std::size_t>(1, (all_pixels + pixels - 1) / pixels);
    joined = count > kFan ? (count + kFan - 1) / kFan : 0;
  }

  std::size_t scratch_floats() const { return (count + joined) * values; }

  std::size_t values;      // a kernel's gradient has
  std::size_t all_pixels;  // the output's, over all samples
  std::size_t pixels = 0;  // a slice's; the last may have fewer
  std::size_t count = 0;   // how many slices there are
  std::size_t joined = 0;  // sums that they are first added to; 0: they are few enough

 private:
  // Enough to fill a card, with 9 sums of 4 channels each: 9.4 MB, however large the maps are. Not
  // measured on a card.
  static constexpr std::size_t kThreads = 65536;
  // Fewer would write more sums than they read values.
  static constexpr std::size_t kLeastPixels = 16;
};

}  // namespace weir
