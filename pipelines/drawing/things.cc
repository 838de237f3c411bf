#include "pipelines/drawing/things.h"

#include <array>

namespace weir {
namespace {

void DrawBell(Pen& pen) {
  const double mouth = pen.Between(60, 80), waist = pen.Between(30, 42);
  pen.Disc(0, 72, pen.Between(11, 17), Ink::kSecond);
  pen.Fill(Path::From(-mouth, 66)
               .Curve(-waist, 40, -waist, -5)
               .Curve(-waist, -72, 0, -72)
               .Curve(waist, -72, waist, -5)
               .Curve(waist, 40, mouth, 66)
               .Close(),
           Ink::kMain);
  pen.Disc(0, -80, pen.Between(8, 13), Ink::kSecond);
  if (pen.Chance(0.5)) pen.Stroke(Path::From(-waist - 6, 35).Line(waist + 6, 35), 6, Ink::kAccent);
}

void DrawBottle(Pen& pen) {
  const double half = pen.Between(24, 38), neck = pen.Between(9, 14),
               shoulder = pen.Between(-40, -10);
  pen.Fill(Path::From(-half, 92)
               .Line(-half, shoulder + 22)
               .Curve(-half, shoulder, -neck, shoulder - 14)
               .Line(-neck, -78)
               .Line(neck, -78)
               .Line(neck, shoulder - 14)
               .Curve(half, shoulder, half, shoulder + 22)
               .Line(half, 92)
               .Close(),
           Ink::kMain);
  pen.Box(-neck - 3, -94, 2 * neck + 6, 18, Ink::kSecond, 3);
  pen.Box(-half, pen.Between(20, 32), 2 * half, pen.Between(25, 40), Ink::kLight);
}

void DrawCandle(Pen& pen) {
  const double half = pen.Between(15, 26), top = pen.Between(-30, 0);
  pen.Box(-half, top, 2 * half, 88 - top, Ink::kMain, 4);
  pen.Stroke(Path::From(0, top).Line(0, top - 14), 4, Ink::kDark);
  const double flame = top - pen.Between(55, 68);
  pen.Fill(
      Path::From(0, flame).Curve(24, top - 22, 0, top - 8).Curve(-24, top - 22, 0, flame).Close(),
      Ink::kAccent);
  if (pen.Chance(0.6)) pen.Box(-half - 25, 82, 2 * half + 50, 13, Ink::kSecond, 5);
}

void DrawChair(Pen& pen) {
  const double seat = pen.Between(0, 20), half = pen.Between(36, 50), back = pen.Between(-92, -70);
  const double leg = pen.Between(8, 13), lean = pen.Between(0, 14);
  pen.Stroke(Path::From(half - leg, seat).Line(half, 92), leg, Ink::kSecond);
  pen.Stroke(Path::From(-half, seat).Line(-half - 4, 92), leg, Ink::kSecond);
  if (pen.Chance(0.6))
    pen.Stroke(Path::From(-half, seat + 42).Line(half - 4, seat + 42), 6, Ink::kSecond);
  pen.Stroke(Path::From(-half, seat).Line(-half - lean, back), leg + 2, Ink::kMain);
  if (pen.Chance(0.4))
    pen.Stroke(Path::From(-half, seat - 28).Line(half - 10, seat - 28), 8, Ink::kMain);
  pen.Box(-half - 8, seat - 6, 2 * half + 12, pen.Between(13, 20), Ink::kMain, 3);
}

void DrawComb(Pen& pen) {
  const int teeth = pen.Count(6, 12);
  const double spine = pen.Between(18, 32), length = pen.Between(45, 70);
  const double step = 180.0 / teeth;
  for (int i = 0; i < teeth; ++i) pen.Box(-90 + i * step, -30, step * 0.55, length, Ink::kMain);
  pen.Box(-94, -30 - spine, 186, spine + 4, Ink::kMain, pen.Between(0, 12));
}

void DrawCrown(Pen& pen) {
  const double dip = pen.Between(-5, 20), side = pen.Between(-55, -35), top = pen.Between(-80, -60);
  pen.Polygon({{-80, 60}, {-90, side}, {-40, dip}, {0, top}, {40, dip}, {90, side}, {80, 60}},
              Ink::kMain);
  for (const Point tip : {Point{-90, side}, Point{0, top}, Point{90, side}}) {
    pen.Disc(tip.x, tip.y, pen.Between(7, 12), Ink::kAccent);
  }
  pen.Box(-82, 58, 164, pen.Between(14, 24), Ink::kSecond);
}

void DrawCup(Pen& pen) {
  const double half = pen.Between(42, 55), taper = pen.Between(0, 16), top = pen.Between(-60, -35);
  pen.Stroke(Path::From(half - 4, top + 22).Curve(98, top + 10, 98, 50, half - taper, 45),
             pen.Between(9, 15), Ink::kSecond);
  pen.Fill(Path::From(-half, top)
               .Line(-half + taper, 72)
               .Curve(0, 84, half - taper, 72)
               .Line(half, top)
               .Close(),
           Ink::kMain);
  pen.Oval(0, top, half, pen.Between(9, 15), Ink::kLight);
}

void DrawFlag(Pen& pen) {
  const double low = pen.Between(0, 25), wave = pen.Between(-18, 18);
  pen.Fill(Path::From(-58, -80)
               .Curve(-10, -80 - wave, 10, -80 + wave, 85, -76)
               .Line(85, low)
               .Curve(10, low + wave, -10, low - wave, -58, low)
               .Close(),
           Ink::kMain);
  if (pen.Chance(0.6)) pen.Disc(10, (low - 80) / 2, pen.Between(14, 22), Ink::kAccent);
  pen.Stroke(Path::From(-62, -90).Line(-62, 95), 8, Ink::kDark);
}

void DrawGlasses(Pen& pen) {
  const double radius = pen.Between(30, 40), y = pen.Between(-5, 5), width = pen.Between(6, 11);
  for (const double side : {-1.0, 1.0}) {
    pen.Disc(side * 46, y, radius, Ink::kMain);
    pen.Disc(side * 46, y, radius - width, Ink::kLight);
    pen.Stroke(Path::From(side * (46 + radius), y).Line(side * 97, y - pen.Between(8, 25)), width,
               Ink::kMain);
  }
  pen.Stroke(Path::From(-46 + radius, y).Curve(0, y - 22, 46 - radius, y), width, Ink::kMain);
}

void DrawHat(Pen& pen) {
  const double half = pen.Between(34, 50), top = pen.Between(-75, -45), brim = pen.Between(80, 95);
  pen.Fill(Path::From(-half, 40)
               .Line(-half + pen.Between(-4, 10), top)
               .Curve(0, top - 22, half - 4, top)
               .Line(half, 40)
               .Close(),
           Ink::kMain);
  pen.Box(-half, 20, 2 * half, 18, Ink::kAccent);
  pen.Oval(0, 44, brim, pen.Between(11, 19), Ink::kMain);
}

void DrawHourglass(Pen& pen) {
  const double half = pen.Between(42, 56), waist = pen.Between(4, 10);
  pen.Fill(Path::From(-half, -74)
               .Curve(-half, -20, -waist, 0)
               .Curve(-half, 20, -half, 74)
               .Line(half, 74)
               .Curve(half, 20, waist, 0)
               .Curve(half, -20, half, -74)
               .Close(),
           Ink::kLight);
  pen.Fill(Path::From(-half * 0.7, 70).Curve(0, pen.Between(10, 40), half * 0.7, 70).Close(),
           Ink::kAccent);
  for (const double y : {-88.0, 74.0}) pen.Box(-half - 12, y, 2 * half + 24, 14, Ink::kMain, 3);
}

void DrawKey(Pen& pen) {
  const double bow = pen.Between(28, 38), shaft = pen.Between(8, 12);
  pen.Box(-30, -shaft / 2, 122, shaft, Ink::kMain);
  for (int i = pen.Count(2, 3); i > 0; --i) {
    pen.Box(92 - 22.0 * i, 0, 12, pen.Between(20, 34), Ink::kMain);
  }
  pen.Disc(-58, 0, bow, Ink::kMain);
  pen.Disc(-58, 0, bow * pen.Between(0.35, 0.6), Ink::kLight);
}

void DrawLadder(Pen& pen) {
  const double half = pen.Between(26, 38), width = pen.Between(7, 11), spread = pen.Between(0, 12);
  const int rungs = pen.Count(4, 7);
  for (int i = 0; i < rungs; ++i) {
    const double y = -78 + 156.0 * i / (rungs - 1);
    pen.Stroke(Path::From(-half, y).Line(half, y), width * 0.8, Ink::kSecond);
  }
  for (const double side : {-1.0, 1.0}) {
    pen.Stroke(Path::From(side * half, -92).Line(side * (half + spread), 92), width, Ink::kMain);
  }
}

void DrawAnchor(Pen& pen) {
  const double width = pen.Between(9, 14), arms = pen.Between(62, 78), stock = pen.Between(28, 44);
  pen.Disc(0, -76, pen.Between(14, 18), Ink::kMain);
  pen.Disc(0, -76, 7, Ink::kLight);
  pen.Stroke(Path::From(-stock, -42).Line(stock, -42), width, Ink::kMain);
  pen.Stroke(Path::From(-arms, 22).Curve(-arms + 8, 80, 0, 84).Curve(arms - 8, 80, arms, 22), width,
             Ink::kMain);
  pen.Stroke(Path::From(0, -58).Line(0, 82), width, Ink::kMain);
  for (const double side : {-1.0, 1.0}) {
    pen.Polygon({{side * arms, 4}, {side * (arms - 20), 34}, {side * (arms + 14), 32}}, Ink::kMain);
  }
}

void DrawLamp(Pen& pen) {
  const double top = pen.Between(20, 36), rim = pen.Between(55, 75), shade = pen.Between(-10, 10);
  pen.Box(-5, shade, 10, 80 - shade, Ink::kSecond);
  pen.Oval(0, 82, pen.Between(34, 46), 11, Ink::kSecond);
  if (pen.Chance(0.5)) pen.Oval(0, 42, pen.Between(14, 24), 26, Ink::kAccent);
  pen.Polygon({{-top, -88}, {top, -88}, {rim, shade}, {-rim, shade}}, Ink::kMain);
}

void DrawRocket(Pen& pen) {
  const double half = pen.Between(22, 32), fin = pen.Between(48, 66);
  pen.Fill(Path::From(-14, 60).Curve(0, pen.Between(110, 130), 14, 60).Close(), Ink::kAccent);
  for (const double side : {-1.0, 1.0}) {
    pen.Polygon({{side * half * 0.8, 15}, {side * fin, 72}, {side * half * 0.6, 60}}, Ink::kSecond);
  }
  pen.Fill(Path::From(0, -95)
               .Curve(half + 14, -45, half, 62)
               .Line(-half, 62)
               .Curve(-half - 14, -45, 0, -95)
               .Close(),
           Ink::kMain);
  pen.Disc(0, pen.Between(-28, -8), pen.Between(10, 15), Ink::kLight);
}

void DrawScissors(Pen& pen) {
  const double open = pen.Between(12, 34), ring = pen.Between(19, 25);
  for (const double side : {-1.0, 1.0}) {
    pen.Polygon({{side * open, -94}, {-side * 6, 16}, {-side * 15, 8}, {side * (open - 14), -84}},
                Ink::kLight);
    const double x = -side * (open + 14);
    pen.Stroke(Path::From(-side * 6, 10).Line(x, 45), 9, Ink::kMain);
    pen.Disc(x, 66, ring, Ink::kMain);
    pen.Disc(x, 66, ring - 9, Ink::kDark);
  }
  pen.Disc(0, 8, 6, Ink::kAccent);
}

void DrawSpoon(Pen& pen) {
  const double bowl = pen.Between(24, 34), width = pen.Between(8, 13);
  pen.Stroke(Path::From(0, -20).Line(pen.Between(-5, 5), 88), width, Ink::kMain);
  pen.Oval(0, -56, bowl, pen.Between(34, 40), Ink::kMain);
  pen.Oval(0, -58, bowl * 0.62, 24, Ink::kSecond);
}

constexpr std::array kThings{
    Figure{"anchor", DrawAnchor},     Figure{"bell", DrawBell},
    Figure{"bottle", DrawBottle},     Figure{"candle", DrawCandle},
    Figure{"chair", DrawChair},       Figure{"comb", DrawComb},
    Figure{"crown", DrawCrown},       Figure{"cup", DrawCup},
    Figure{"flag", DrawFlag},         Figure{"glasses", DrawGlasses},
    Figure{"hat", DrawHat},           Figure{"hourglass", DrawHourglass},
    Figure{"key", DrawKey},           Figure{"ladder", DrawLadder},
    Figure{"lamp", DrawLamp},         Figure{"rocket", DrawRocket},
    Figure{"scissors", DrawScissors}, Figure{"spoon", DrawSpoon},
};

}  // namespace

std::span<const Figure> Things() { return kThings; }

}  // namespace weir
