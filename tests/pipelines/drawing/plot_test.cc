#include "pipelines/drawing/plot.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipelines/drawing/rasterise.h"
#include "pipelines/drawing/stroke_font.h"

namespace weir {
namespace {

std::string Texts(const std::vector<AxisTick>& ticks) {
  std::string texts;
  for (const AxisTick& tick : ticks) texts += (texts.empty() ? "" : " ") + tick.text;
  return texts;
}

TEST(LinearTicks, AreRoundNumbersInTheRange) {
  EXPECT_EQ(Texts(LinearTicks(0, 1, 5)), "0.0 0.2 0.4 0.6 0.8 1.0");
  EXPECT_EQ(Texts(LinearTicks(0.13, 2.2, 8)), "0.5 1.0 1.5 2.0");
  EXPECT_EQ(Texts(LinearTicks(-3, 42, 5)), "0 10 20 30 40");
  EXPECT_EQ(Texts(LinearTicks(1.501, 1.532, 4)), "1.51 1.52 1.53");
}

TEST(DecadeTicks, ArePowersOfTenInTheRange) {
  EXPECT_EQ(Texts(DecadeTicks(1e-3, 10, 12)), "1e-3 1e-2 1e-1 1e0 1e1");
  EXPECT_EQ(Texts(DecadeTicks(2e-3, 9, 12)), "1e-2 1e-1 1e0");
  EXPECT_EQ(Texts(DecadeTicks(1e-20, 1, 12)).substr(0, 11), "1e-20 1e-18");
}

// The pixels of a plot, each as one number, "#rrggbb".
class Pixels {
 public:
  Pixels(const Plot& plot, int width, int height) : width_(width) {
    const SvgAllowed allowed;
    pixels_ = Rasterised(PlotSvg(plot, width, height));
    EXPECT_EQ(pixels_.size(), static_cast<std::size_t>(3) * width * height);
  }
  bool Is(int x, int y, int red, int green, int blue) const {
    const std::uint8_t* at = &pixels_.at(3 * (static_cast<std::size_t>(y) * width_ + x));
    return at[0] == red && at[1] == green && at[2] == blue;
  }
  // How many pixels of a part of the picture are not white.
  int Inked(int left, int top, int right, int bottom) const {
    int count = 0;
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) count += Is(x, y, 255, 255, 255) ? 0 : 1;
    }
    return count;
  }

 private:
  int width_;
  std::vector<std::uint8_t> pixels_;
};

// The area between the axes of 400 by 300 pixels is from (72, 20) to (380, 244).
TEST(PlotSvg, DrawsLinesMarksAxesAndTheirNumbers) {
  Plot plot{.x_name = "", .y_name = "", .x_low = 1, .x_high = 100, .y_low = 0, .y_high = 1};
  const Pixels empty(plot, 400, 300);
  EXPECT_GT(empty.Inked(60, 248, 90, 270), 20) << "1e0";
  EXPECT_GT(empty.Inked(210, 248, 242, 270), 20) << "1e1";
  EXPECT_GT(empty.Inked(360, 248, 395, 270), 20) << "1e2";
  EXPECT_GT(empty.Inked(40, 14, 65, 28), 20) << "1.0";
  EXPECT_EQ(empty.Inked(0, 0, 40, 300), 0) << "no name";

  plot.x_name = "learning rate", plot.y_name = "loss";
  plot.lines = {{"high", {1, 0, 0}, 4, {{10, 0.25}, {50, 0.25}, {100, 9}}}};
  plot.marks = {{"mark", {0, 0, 1}, 2}};
  const Pixels drawn(plot, 400, 300);
  EXPECT_GT(drawn.Inked(0, 90, 40, 180), 20) << "the name of y";
  EXPECT_GT(drawn.Inked(170, 272, 290, 296), 60) << "the name of x";
  EXPECT_TRUE(drawn.Is(280, 188, 255, 0, 0)) << "a quarter of the way up";
  EXPECT_FALSE(drawn.Is(200, 188, 255, 0, 0)) << "before the line begins";
  EXPECT_EQ(drawn.Inked(100, 0, 400, 14), 0) << "what is above the frame is cut off";
  int blue = 0;
  for (int y = 25; y < 180; ++y) blue += drawn.Is(118, y, 0, 0, 255) ? 1 : 0;
  EXPECT_GT(blue, 50) << "log10(2) / 2 of the way";
}

TEST(TextSvg, PutsTheTextWhereItIsWanted) {
  EXPECT_EQ(TextWidth("", 12), 0);
  EXPECT_DOUBLE_EQ(TextWidth("10", 12), 2 * (4 + 1.5 + 4));
  const auto translation = [](TextPlace place) {
    const std::string svg = TextSvg("10", {50, 60}, {.size = 12, .place = place});
    const std::size_t at = svg.rfind(")translate(", svg.find("scale"));
    return svg.substr(at + 1, svg.find("scale") - at - 1);
  };
  EXPECT_EQ(translation(TextPlace::kMiddle), "translate(-9.50 0)");
  EXPECT_EQ(translation(TextPlace::kRight), "translate(-19.00 0)");
}

}  // namespace
}  // namespace weir
