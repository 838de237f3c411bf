// Writes SVG text: numbers with two decimals whatever the locale, colours, the data of a path.
//
// Plain values that own their text; any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace weir {

struct Point {
  double x = 0;
  double y = 0;
};

struct Colour {
  double red = 0;  // all in [0, 1]
  double green = 0;
  double blue = 0;
};

// Hue in turns, the others in [0, 1].
Colour FromHsv(double hue, double saturation, double value);
// `part` of the way from one to the other.
Colour Mixed(const Colour& from, const Colour& to, double part);
double Distance(const Colour& a, const Colour& b);  // 0 to sqrt(3)

std::string ToSvg(double number);         // "-12.5"
std::string ToSvg(const Colour& colour);  // "#ff8000"
// ` name="value"`
std::string Attribute(std::string_view name, double value);
std::string Attribute(std::string_view name, std::string_view value);

// The outline of a figure, in SVG's own commands.
class Path {
 public:
  static Path From(double x, double y);
  static Path Polygon(std::initializer_list<Point> corners);

  Path& Line(double x, double y);
  Path& Curve(double x1, double y1, double x, double y);  // quadratic, pulled towards the first
  Path& Curve(double x1, double y1, double x2, double y2, double x, double y);  // cubic
  Path& Arc(double rx, double ry, bool is_long, bool is_clockwise, double x, double y);
  Path& Close();

  const std::string& text() const { return text_; }

 private:
  Path& Add(char command, std::initializer_list<double> numbers);

  std::string text_;
};

}  // namespace weir
