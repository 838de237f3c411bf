#include "pipelines/drawing/svg.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace weir {

Colour FromHsv(double hue, double saturation, double value) {
  const auto channel = [&](double offset) {
    const double place = std::fmod(offset + 6 * hue, 6.0);
    const double weight = std::fmax(0.0, std::fmin(std::fmin(place, 4 - place), 1.0));
    return value * (1 - saturation * weight);
  };
  return {channel(5), channel(3), channel(1)};
}

Colour Mixed(const Colour& from, const Colour& to, double part) {
  return {std::lerp(from.red, to.red, part), std::lerp(from.green, to.green, part),
          std::lerp(from.blue, to.blue, part)};
}

double Distance(const Colour& a, const Colour& b) {
  return std::hypot(a.red - b.red, a.green - b.green, a.blue - b.blue);
}

std::string ToSvg(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                 std::round(number * 100) / 100, std::chars_format::fixed, 2);
  return std::string(text.data(), end.ptr);
}

std::string ToSvg(const Colour& colour) {
  const auto level = [](double part) { return static_cast<unsigned>(std::lround(255 * part)); };
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", level(colour.red) & 255,
                level(colour.green) & 255, level(colour.blue) & 255);
  return text.data();
}

std::string Attribute(std::string_view name, double value) { return Attribute(name, ToSvg(value)); }

std::string Attribute(std::string_view name, std::string_view value) {
  std::string text(1, ' ');
  text.append(name).append("=\"").append(value).append("\"");
  return text;
}

Path Path::From(double x, double y) {
  Path path;
  path.Add('M', {x, y});
  return path;
}

Path Path::Polygon(std::initializer_list<Point> corners) {
  Path path;
  for (const Point& corner : corners) {
    path.Add(path.text_.empty() ? 'M' : 'L', {corner.x, corner.y});
  }
  return path.Close();
}

Path& Path::Add(char command, std::initializer_list<double> numbers) {
  text_ += command;
  for (const double number : numbers) text_ += ToSvg(number) + ' ';
  return *this;
}

Path& Path::Line(double x, double y) { return Add('L', {x, y}); }

Path& Path::Curve(double x1, double y1, double x, double y) { return Add('Q', {x1, y1, x, y}); }

Path& Path::Curve(double x1, double y1, double x2, double y2, double x, double y) {
  return Add('C', {x1, y1, x2, y2, x, y});
}

Path& Path::Arc(double rx, double ry, bool is_long, bool is_clockwise, double x, double y) {
  Add('A', {rx, ry, 0});
  text_ += is_long ? "1 " : "0 ";  // a flag has no decimals
  text_ += is_clockwise ? "1 " : "0 ";
  text_ += ToSvg(x) + ' ' + ToSvg(y) + ' ';
  return *this;
}

Path& Path::Close() { return Add('Z', {}); }

}  // namespace weir
