// What a figure is drawn with: it has the colours and the style of one picture, and the chances by
// which no two drawings of a figure are alike.
//
// A figure is drawn into the square from (-100, -100) to (100, 100), y downwards. One thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "framework/random.h"
#include "pipelines/drawing/svg.h"

namespace weir {

// The colours of one picture, by their part in it.
enum class Ink { kMain, kSecond, kAccent, kLight, kDark };
inline constexpr int kInks = 5;

struct DrawingStyle {
  std::array<Colour, kInks> colours{};
  double outline = 0;      // width in the figure's units; 0: none
  bool is_shaded = false;  // filled with a gradient
  bool is_hollow = false;  // outlines only
};

class Pen {
 public:
  Pen(const DrawingStyle& style, CounterRandom& random) : style_(style), random_(random) {}

  double Between(double low, double high) { return random_.Uniform(low, high); }
  int Count(int least, int most);
  bool Chance(double probability) { return random_.Uniform() < probability; }

  // Filled, and outlined as the style has it.
  void Fill(const Path& path, Ink ink);
  void Polygon(std::initializer_list<Point> corners, Ink ink) { Fill(Path::Polygon(corners), ink); }
  void Disc(double x, double y, double radius, Ink ink) { Oval(x, y, radius, radius, ink); }
  void Oval(double x, double y, double rx, double ry, Ink ink);
  void Box(double x, double y, double width, double height, Ink ink, double corner = 0);
  // A line along the path, round at its ends.
  void Stroke(const Path& path, double width, Ink ink);

  const std::string& svg() const { return svg_; }
  // The gradients that the drawing refers to.
  std::string Definitions() const;

 private:
  std::string Paint(Ink ink) const;  // fill and outline, as attributes

  DrawingStyle style_;
  CounterRandom& random_;
  std::string svg_;
};

}  // namespace weir
