#include "pipelines/drawing/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "pipelines/drawing/stroke_font.h"

namespace weir {
namespace {

constexpr double kLeft = 72, kRight = 20, kAbove = 20, kBelow = 56;  // margins in pixels
constexpr double kTickSize = 9, kNameSize = 10;                      // heights of digits
constexpr Colour kBlack{}, kGrid{0.88, 0.88, 0.88};

// The area between the axes.
struct Frame {
  const Plot& plot;
  double width, height;  // of the whole picture

  double right() const { return width - kRight; }
  double bottom() const { return height - kBelow; }
  double X(double value) const {
    const double part = std::log(value / plot.x_low) / std::log(plot.x_high / plot.x_low);
    return kLeft + part * (right() - kLeft);
  }
  double Y(double value) const {
    const double part = (value - plot.y_low) / (plot.y_high - plot.y_low);
    return bottom() - part * (bottom() - kAbove);
  }
};

std::string LineSvg(const std::string& path, const Colour& colour, double width,
                    const std::string& more = "") {
  return "<path" + Attribute("d", path) + Attribute("fill", "none") +
         Attribute("stroke", ToSvg(colour)) + Attribute("stroke-width", width) +
         Attribute("stroke-linejoin", "round") + more + "/>";
}

std::string Straight(double x1, double y1, double x2, double y2) {
  return Path::From(x1, y1).Line(x2, y2).text();
}

std::string Axes(const Frame& frame) {
  const Plot& plot = frame.plot;
  std::string svg;
  for (const AxisTick& tick : DecadeTicks(plot.x_low, plot.x_high, 12)) {
    const double x = frame.X(tick.value);
    svg += LineSvg(Straight(x, kAbove, x, frame.bottom() + 5), kGrid, 1);
    svg += TextSvg(tick.text, {x, frame.bottom() + 20},
                   {.size = kTickSize, .place = TextPlace::kMiddle});
  }
  for (const AxisTick& tick : LinearTicks(plot.y_low, plot.y_high, 8)) {
    const double y = frame.Y(tick.value);
    svg += LineSvg(Straight(kLeft - 5, y, frame.right(), y), kGrid, 1);
    svg += TextSvg(tick.text, {kLeft - 10, y + kTickSize / 2},
                   {.size = kTickSize, .place = TextPlace::kRight});
  }
  svg += LineSvg(Path::From(kLeft, kAbove)
                     .Line(kLeft, frame.bottom())
                     .Line(frame.right(), frame.bottom())
                     .text(),
                 kBlack, 1.5);
  svg += TextSvg(plot.x_name, {(kLeft + frame.right()) / 2, frame.height - 14},
                 {.size = kNameSize, .place = TextPlace::kMiddle});
  return svg + TextSvg(plot.y_name, {20, (kAbove + frame.bottom()) / 2},
                       {.size = kNameSize, .place = TextPlace::kMiddle, .is_upwards = true});
}

std::string Curves(const Frame& frame) {
  std::string svg = R"(<clipPath id="frame"><rect)" + Attribute("x", kLeft) +
                    Attribute("y", kAbove) + Attribute("width", frame.right() - kLeft) +
                    Attribute("height", frame.bottom() - kAbove) + "/></clipPath><g" +
                    Attribute("clip-path", "url(#frame)") + ">";
  for (const PlotMark& mark : frame.plot.marks) {
    const double x = frame.X(mark.x);
    svg += LineSvg(Straight(x, kAbove, x, frame.bottom()), mark.colour, 1.5,
                   Attribute("stroke-dasharray", "6 4"));
  }
  // Far above the frame a number of pixels says nothing, and may be too large to be one.
  const double far = 10 * frame.height;
  for (const PlotLine& line : frame.plot.lines) {
    if (line.points.empty()) continue;
    const auto y = [&](const Point& point) { return std::clamp(frame.Y(point.y), -far, far); };
    Path path = Path::From(frame.X(line.points[0].x), y(line.points[0]));
    for (const Point& point : line.points) path.Line(frame.X(point.x), y(point));
    svg += LineSvg(path.text(), line.colour, line.width);
  }
  return svg + "</g>";
}

// The names of the lines and marks, in the lower left corner.
std::string Legend(const Frame& frame) {
  constexpr double kRow = 18, kSample = 22, kInset = 10;
  double widest = 0;
  double rows = 0;
  const auto measure = [&](const std::string& name) {
    widest = std::max(widest, TextWidth(name, kTickSize));
    ++rows;
  };
  for (const PlotLine& line : frame.plot.lines) measure(line.name);
  for (const PlotMark& mark : frame.plot.marks) measure(mark.name);
  if (rows == 0) return "";
  const double height = rows * kRow + kInset;
  const double top = frame.bottom() - kInset - height;
  std::string svg = "<rect" + Attribute("x", kLeft + kInset) + Attribute("y", top) +
                    Attribute("width", widest + kSample + 3 * kInset) +
                    Attribute("height", height) + Attribute("fill", "#ffffff") +
                    Attribute("stroke", ToSvg(kGrid)) + "/>";
  double y = top + kRow - 2;
  const auto row = [&](const std::string& name, const Colour& colour, double width,
                       const std::string& more) {
    const double x = kLeft + 2 * kInset;
    svg += LineSvg(Straight(x, y - 4, x + kSample, y - 4), colour, width, more);
    svg += TextSvg(name, {x + kSample + kInset, y}, {.size = kTickSize});
    y += kRow;
  };
  for (const PlotLine& line : frame.plot.lines) row(line.name, line.colour, line.width, "");
  for (const PlotMark& mark : frame.plot.marks) {
    row(mark.name, mark.colour, 1.5, Attribute("stroke-dasharray", "6 4"));
  }
  return svg;
}

}  // namespace

std::vector<AxisTick> LinearTicks(double low, double high, int most) {
  const double least = (high - low) / most;
  const double power = std::pow(10, std::floor(std::log10(least)));
  double step = 10 * power;
  for (const double times : {1.0, 2.0, 5.0}) {
    if (times * power >= least && times * power < step) step = times * power;
  }
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  std::vector<AxisTick> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, i * step + 0.0);
    ticks.push_back({i * step, text.data()});
  }
  return ticks;
}

std::vector<AxisTick> DecadeTicks(double low, double high, int most) {
  const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  const int every = std::max(1, (last - first + most) / most);
  std::vector<AxisTick> ticks;
  for (int power = first; power <= last; power += every) {
    ticks.push_back({std::pow(10, power), "1e" + std::to_string(power)});
  }
  return ticks;
}

std::string PlotSvg(const Plot& plot, int width, int height) {
  const Frame frame{plot, static_cast<double>(width), static_cast<double>(height)};
  return R"(<svg xmlns="http://www.w3.org/2000/svg")" + Attribute("width", std::to_string(width)) +
         Attribute("height", std::to_string(height)) +
         R"(><rect width="100%" height="100%" fill="#ffffff"/>)" + Axes(frame) + Curves(frame) +
         Legend(frame) + "</svg>";
}

}  // namespace weir
