#include "stages/features/onednn/onednn_maps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace weir {
namespace {

// Channels are pooled eight at a time, and those that are left one by one.
TEST(OneDnnMaps, PoolAnyNumberOfChannelsAndWriteNoneBeyond) {
  constexpr int kPixels = 6;
  constexpr float kUntouched = -1234;
  for (const int channels : {1, 7, 8, 9, 20, 24}) {
    SCOPED_TRACE(channels);
    const MapShape shape(
        {{1, channels, 2, 3}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc});
    std::vector<float> map(static_cast<std::size_t>(channels) * kPixels);
    for (std::size_t i = 0; i < map.size(); ++i) map[i] = static_cast<float>(i * 7 % 11) - 5;
    std::vector<float> mean(channels + 8, kUntouched), largest = mean;
    ReadMap(map.data(), shape, Pooling::kAverage, 1, mean.data());
    ReadMap(map.data(), shape, Pooling::kMax, 1, largest.data());
    for (int c = 0; c < channels; ++c) {
      float sum = 0, most = map[c];
      for (int pixel = 0; pixel < kPixels; ++pixel) {
        sum += map[pixel * channels + c];
        most = std::max(most, map[pixel * channels + c]);
      }
      EXPECT_FLOAT_EQ(mean[c], sum / kPixels) << c;
      EXPECT_EQ(largest[c], most) << c;
    }
    for (std::size_t i = channels; i < mean.size(); ++i) {
      EXPECT_EQ(mean[i], kUntouched);
      EXPECT_EQ(largest[i], kUntouched);
    }
  }
}

}  // namespace
}  // namespace weir
