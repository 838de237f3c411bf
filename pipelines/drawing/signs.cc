#include "pipelines/drawing/signs.h"

#include <array>
#include <cmath>
#include <numbers>

namespace weir {
namespace {

Point OnCircle(double radius, double turn) {
  const double angle = 2 * std::numbers::pi * turn;
  return {radius * std::sin(angle), -radius * std::cos(angle)};
}

// `points` corners on each of two circles in turn.
Path Zigzag(int points, double outer, double inner) {
  Path path = Path::From(0, -outer);
  for (int i = 1; i < 2 * points; ++i) {
    const Point at = OnCircle(i % 2 == 0 ? outer : inner, i / (2.0 * points));
    path.Line(at.x, at.y);
  }
  return path.Close();
}

void DrawArrow(Pen& pen) {
  const double head = pen.Between(10, 40), half = pen.Between(40, 65), shaft = pen.Between(12, 26);
  pen.Polygon({{95, 0},
               {head, -half},
               {head, -shaft},
               {-90, -shaft},
               {-90, shaft},
               {head, shaft},
               {head, half}},
              Ink::kMain);
}

void DrawBolt(Pen& pen) {
  const double lean = pen.Between(-10, 15), kink = pen.Between(-10, 10);
  pen.Polygon({{20 + lean, -95},
               {-50, 12 + kink},
               {-8, 12 + kink},
               {-22 - lean, 95},
               {52, -18 + kink},
               {10, -18 + kink}},
              Ink::kMain);
}

void DrawButterfly(Pen& pen) {
  const double top = pen.Between(40, 60), low = pen.Between(28, 42), spot = pen.Between(8, 16);
  for (const double side : {-1.0, 1.0}) {
    pen.Oval(side * 44, -28, 42, top * 0.85, Ink::kMain);
    pen.Oval(side * 34, 42, 32, low, Ink::kSecond);
    pen.Disc(side * 50, -30, spot, Ink::kAccent);
    pen.Stroke(Path::From(0, -50).Curve(side * 8, -80, side * 26, -88), 3, Ink::kDark);
  }
  pen.Oval(0, 0, 9, 62, Ink::kDark);
}

void DrawCloud(Pen& pen) {
  const double left = pen.Between(26, 36), middle = pen.Between(40, 52),
               right = pen.Between(28, 40);
  pen.Fill(Path::From(-55, 40)
               .Arc(left, left, true, true, -42, -18)
               .Arc(middle, middle, true, true, 38, -24)
               .Arc(right, right, true, true, 58, 40)
               .Close(),
           Ink::kMain);
}

void DrawCross(Pen& pen) {
  const double arm = pen.Between(14, 32);
  const double bar = pen.Chance(0.5) ? 0 : pen.Between(-30, -15);
  const double left = bar == 0 ? 90 : pen.Between(55, 75);
  pen.Polygon({{-arm, -92},
               {arm, -92},
               {arm, bar - arm},
               {left, bar - arm},
               {left, bar + arm},
               {arm, bar + arm},
               {arm, 92},
               {-arm, 92},
               {-arm, bar + arm},
               {-left, bar + arm},
               {-left, bar - arm},
               {-arm, bar - arm}},
              Ink::kMain);
}

void DrawFlower(Pen& pen) {
  const int petals = pen.Count(5, 9);
  const double reach = pen.Between(40, 52);
  const double width = pen.Between(130, 165) / petals;
  for (int i = 0; i < petals; ++i) {
    const Point at = OnCircle(reach, static_cast<double>(i) / petals);
    pen.Disc(at.x, at.y, width, Ink::kMain);
  }
  pen.Disc(0, 0, pen.Between(20, 30), Ink::kAccent);
}

void DrawGear(Pen& pen) {
  const int teeth = pen.Count(7, 12);
  const double inner = pen.Between(60, 70);
  Path rim;
  for (int i = 0; i < teeth; ++i) {
    const double turn = static_cast<double>(i) / teeth, part = 1.0 / teeth;
    const Point a = OnCircle(inner, turn), b = OnCircle(90, turn + 0.12 * part);
    const Point c = OnCircle(90, turn + 0.42 * part), d = OnCircle(inner, turn + 0.54 * part);
    if (i == 0) rim = Path::From(a.x, a.y);
    rim.Line(a.x, a.y).Line(b.x, b.y).Line(c.x, c.y).Line(d.x, d.y);
  }
  pen.Fill(rim.Close(), Ink::kMain);
  pen.Disc(0, 0, pen.Between(18, 36), Ink::kLight);
}

void DrawHeart(Pen& pen) {
  const double tip = pen.Between(75, 92), cleft = pen.Between(-40, -15),
               lobe = pen.Between(85, 105);
  pen.Fill(Path::From(0, tip)
               .Curve(-lobe - 15, 5, -lobe, -85, -40, -75)
               .Curve(-18, -72, -5, -55, 0, cleft)
               .Curve(5, -55, 18, -72, 40, -75)
               .Curve(lobe, -85, lobe + 15, 5, 0, tip)
               .Close(),
           Ink::kMain);
}

void DrawLeaf(Pen& pen) {
  const double half = pen.Between(34, 54), low = pen.Between(10, 40);
  pen.Stroke(Path::From(0, 50).Curve(2, 80, pen.Between(-14, 14), 96), 6, Ink::kSecond);
  pen.Fill(Path::From(0, -92)
               .Curve(half + 18, -40, half, low, 0, 70)
               .Curve(-half, low, -half - 18, -40, 0, -92)
               .Close(),
           Ink::kMain);
  pen.Stroke(Path::From(0, -74).Line(0, 58), 4, Ink::kSecond);
  for (int vein = pen.Count(2, 4); vein > 0; --vein) {
    const double y = -55 + 27 * vein;
    pen.Stroke(Path::From(0, y).Line(half * 0.55, y - 18), 3, Ink::kSecond);
    pen.Stroke(Path::From(0, y).Line(-half * 0.55, y - 18), 3, Ink::kSecond);
  }
}

void DrawMoon(Pen& pen) {
  const double inner = pen.Between(88, 130);
  pen.Fill(Path::From(30, -85)
               .Arc(88, 88, true, false, 30, 85)
               .Arc(inner, inner, false, true, 30, -85)
               .Close(),
           Ink::kMain);
}

void DrawMushroom(Pen& pen) {
  const double half = pen.Between(62, 88), stem = pen.Between(18, 30), top = pen.Between(-105, -80);
  pen.Fill(Path::From(-stem, 5)
               .Curve(-stem + 6, 50, -stem - 8, 90)
               .Curve(0, 98, stem + 8, 90)
               .Curve(stem - 6, 50, stem, 5)
               .Close(),
           Ink::kLight);
  pen.Fill(Path::From(-half, 12)
               .Curve(-half, top, 0, top)
               .Curve(half, top, half, 12)
               .Curve(0, pen.Between(-4, 30), -half, 12)
               .Close(),
           Ink::kMain);
  for (int spot = pen.Count(2, 5); spot > 0; --spot) {
    pen.Disc(pen.Between(-0.55, 0.55) * half, pen.Between(-62, -14), pen.Between(6, 11),
             Ink::kAccent);
  }
}

void DrawPentagon(Pen& pen) {
  const int sides = pen.Count(5, 6);
  const double radius = 92;
  Path path = Path::From(0, -radius);
  for (int i = 1; i < sides; ++i) {
    const Point at = OnCircle(radius, static_cast<double>(i) / sides);
    path.Line(at.x, at.y);
  }
  pen.Fill(path.Close(), Ink::kMain);
  if (pen.Chance(0.4)) pen.Disc(0, 0, pen.Between(20, 40), Ink::kSecond);
}

void DrawRing(Pen& pen) {
  const double squash = pen.Between(0.6, 1), hole = pen.Between(0.45, 0.75);
  pen.Oval(0, 0, 92, 92 * squash, Ink::kMain);
  pen.Oval(0, 0, 92 * hole, 92 * hole * squash, Ink::kLight);
}

void DrawSnowman(Pen& pen) {
  const double base = pen.Between(42, 52), head = pen.Between(22, 28);
  pen.Disc(0, 92 - base, base, Ink::kMain);
  const double chest = 92 - 1.75 * base;
  pen.Disc(0, chest - 18, base * 0.7, Ink::kMain);
  const double face = chest - 18 - base * 0.55 - head * 0.8;
  pen.Disc(0, face, head, Ink::kMain);
  pen.Polygon({{0, face - 2}, {pen.Between(20, 34), face + 4}, {0, face + 8}}, Ink::kAccent);
  for (const double x : {-8.0, 6.0}) pen.Disc(x, face - 7, 3, Ink::kDark);
  for (int button = pen.Count(1, 3); button > 0; --button)
    pen.Disc(0, chest - 45 + 17 * button, 4, Ink::kDark);
}

void DrawSpiral(Pen& pen) {
  const double turns = pen.Between(2, 3.4), width = pen.Between(6, 13);
  constexpr int kSteps = 80;
  Path path = Path::From(0, 0);
  for (int i = 1; i <= kSteps; ++i) {
    const double part = static_cast<double>(i) / kSteps;
    const Point at = OnCircle(90 * part, turns * part);
    path.Line(at.x, at.y);
  }
  pen.Stroke(path, width, Ink::kMain);
}

void DrawStar(Pen& pen) {
  pen.Fill(Zigzag(pen.Count(5, 8), 95, pen.Between(34, 58)), Ink::kMain);
  if (pen.Chance(0.3)) pen.Disc(0, 0, pen.Between(10, 22), Ink::kSecond);
}

void DrawSun(Pen& pen) {
  const int rays = pen.Count(8, 13);
  const double core = pen.Between(34, 48), width = pen.Between(6, 11);
  for (int i = 0; i < rays; ++i) {
    const Point from = OnCircle(core + 12, static_cast<double>(i) / rays);
    const Point to = OnCircle(92, static_cast<double>(i) / rays);
    pen.Stroke(Path::From(from.x, from.y).Line(to.x, to.y), width, Ink::kMain);
  }
  pen.Disc(0, 0, core, Ink::kMain);
}

constexpr std::array kSigns{
    Figure{"arrow", DrawArrow},
    Figure{"bolt", DrawBolt},
    Figure{"butterfly", DrawButterfly},
    Figure{"cloud", DrawCloud},
    Figure{"cross", DrawCross},
    Figure{"flower", DrawFlower},
    Figure{"gear", DrawGear},
    Figure{"heart", DrawHeart},
    Figure{"leaf", DrawLeaf},
    Figure{"moon", DrawMoon},
    Figure{"mushroom", DrawMushroom},
    Figure{"pentagon", DrawPentagon},
    Figure{"ring", DrawRing},
    Figure{"snowman", DrawSnowman},
    Figure{"spiral", DrawSpiral},
    Figure{"star", DrawStar},
    Figure{"sun", DrawSun},
};

}  // namespace

std::span<const Figure> Signs() { return kSigns; }

}  // namespace weir
