// A plot of lines over a logarithmic x: axes with ticks and numbers, marks, a legend.
//
// Pure; any thread. Holds the text of the SVG, some 20 bytes a point.
#pragma once

#include <string>
#include <vector>

#include "pipelines/drawing/svg.h"

namespace weir {

// All texts are in the letters of stroke_font.h.
struct PlotLine {
  std::string name;
  Colour colour{};
  double width = 1;  // pixels
  std::vector<Point> points{};
};

// A dashed line from below to above.
struct PlotMark {
  std::string name;
  Colour colour{};
  double x = 0;
};

struct Plot {
  std::string x_name, y_name;
  double x_low = 1, x_high = 10;  // both above 0
  double y_low = 0, y_high = 1;   // what lies outside is cut off
  std::vector<PlotLine> lines{};
  std::vector<PlotMark> marks{};
};

// Where an axis from `low` to `high` has its numbers: at multiples of 1, 2 or 5 times a power of
// ten, at most `most` of them.
struct AxisTick {
  double value = 0;
  std::string text;
};
std::vector<AxisTick> LinearTicks(double low, double high, int most);
// At whole powers of ten, "1e-7", and fewer where there would be more than `most`.
std::vector<AxisTick> DecadeTicks(double low, double high, int most);

// In pixels, at least 200 by 150.
std::string PlotSvg(const Plot& plot, int width, int height);

}  // namespace weir
