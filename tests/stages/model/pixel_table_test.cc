#include "stages/model/pixel_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir {
namespace {

TEST(PixelTable, RoundsTheProductAndThenTheSum) {
  const Preprocessing preprocessing{.scale = {1 / 127.5f, 1 / 255.f, 0.0171247538f},
                                    .offset = {-1, 0, -2.11790395f}};
  const PixelTable table = MakePixelTable(preprocessing);
  int fused_differs = 0;
  for (int channel = 0; channel < 3; ++channel) {
    for (int value = 0; value < 256; ++value) {
      const float x = static_cast<float>(value);
      const float scale = preprocessing.scale[channel], offset = preprocessing.offset[channel];
      const volatile float product = x * scale;  // so that nothing fuses it with the sum
      EXPECT_EQ(table[channel][value], product + offset) << channel << ' ' << value;
      fused_differs += std::fma(x, scale, offset) != product + offset;
    }
  }
  EXPECT_GT(fused_differs, 100) << "else this shows nothing";
}

}  // namespace
}  // namespace weir
