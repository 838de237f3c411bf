#include "pipelines/drawing/demo_figures.h"

#include <array>

namespace weir {
namespace {

void DrawFish(Pen& pen) {
  const double belly = pen.Between(28, 48);
  const double back = pen.Between(28, 48);
  const double tail = pen.Between(28, 45);
  pen.Fill(Path::From(40, 0).Line(95, -tail).Curve(pen.Between(70, 85), 0, 95, tail).Close(),
           Ink::kSecond);
  const double fin = pen.Between(-25, 0);
  pen.Fill(
      Path::From(fin - 25, -back * 0.6).Curve(fin + 5, -back - 35, fin + 40, -back * 0.5).Close(),
      Ink::kSecond);
  pen.Fill(Path::From(-90, 0)
               .Curve(-60, -back, -10, -back - 8, 55, 0)
               .Curve(-10, belly + 8, -60, belly, -90, 0)
               .Close(),
           Ink::kMain);
  for (int stripe = pen.Count(0, 3); stripe > 0; --stripe) {
    const double x = -30 + 18 * stripe;
    pen.Stroke(Path::From(x, -back * 0.45).Curve(x + 10, 0, x, belly * 0.45), 5, Ink::kAccent);
  }
  if (pen.Chance(0.6)) {
    pen.Fill(
        Path::From(-25, 8).Curve(5, 10, 10, pen.Between(22, 34)).Curve(-15, 28, -25, 8).Close(),
        Ink::kSecond);
  }
  pen.Disc(-62, -8, pen.Between(7, 11), Ink::kLight);
  pen.Disc(-63, -8, 4, Ink::kDark);
}

void DrawHouse(Pen& pen) {
  const double width = pen.Between(55, 80);
  const double eaves = pen.Between(-30, 5);
  const double ridge = eaves - pen.Between(30, 60);
  if (pen.Chance(0.6)) {
    const double x = width * pen.Between(0.3, 0.6);
    pen.Box(x, ridge - pen.Between(0, 12), 16, eaves - ridge, Ink::kAccent);
  }
  pen.Box(-width, eaves, 2 * width, 85 - eaves, Ink::kMain);
  const double flat = pen.Chance(0.35) ? width * pen.Between(0.3, 0.6) : 0;
  const double overhang = pen.Between(4, 16);
  pen.Polygon(
      {{-width - overhang, eaves}, {-flat, ridge}, {flat, ridge}, {width + overhang, eaves}},
      Ink::kSecond);
  const double door = pen.Between(-0.6, 0.4) * width;
  pen.Box(door, 85 - 52, 28, 52, Ink::kAccent, pen.Chance(0.3) ? 12 : 0);
  pen.Disc(door + 22, 60, 2.5, Ink::kDark);
  const int windows = pen.Count(2, 4);
  for (int i = 0; i < windows; ++i) {
    const double x = -width + 2 * width * (i + 0.5) / windows - 11;
    const bool is_at_door = x > door - 26 && x < door + 32;
    if (is_at_door && eaves > -20) continue;
    const double y = eaves + pen.Between(8, 14);
    pen.Box(x, y, 22, 22, Ink::kLight);
    if (pen.Chance(0.7)) {
      pen.Stroke(Path::From(x + 11, y).Line(x + 11, y + 22), 2, Ink::kDark);
      pen.Stroke(Path::From(x, y + 11).Line(x + 22, y + 11), 2, Ink::kDark);
    }
  }
}

void DrawSailboat(Pen& pen) {
  const double mast = pen.Between(-12, 14);
  const double top = pen.Between(-95, -75);
  const double foot = 22;
  pen.Stroke(Path::From(mast, top).Line(mast, 45), 5, Ink::kDark);
  const double lee = pen.Between(45, 70);
  pen.Fill(Path::From(mast + 4, top + 6)
               .Curve(mast + lee * pen.Between(0.5, 0.9), -30, mast + lee, foot)
               .Line(mast + 4, foot)
               .Close(),
           Ink::kSecond);
  if (pen.Chance(0.8)) {
    const double luff = pen.Between(40, 65);
    pen.Fill(Path::From(mast - 4, top + pen.Between(12, 35))
                 .Curve(mast - luff * 0.4, -15, mast - luff, foot)
                 .Line(mast - 4, foot)
                 .Close(),
             Ink::kLight);
  }
  if (pen.Chance(0.5))
    pen.Polygon({{mast, top - 4}, {mast + 22, top + 4}, {mast, top + 11}}, Ink::kAccent);
  const double bow = pen.Between(75, 95);
  const double keel = pen.Between(65, 85);
  pen.Fill(Path::From(-bow, 34)
               .Line(bow, 34)
               .Curve(bow - 12, keel, bow - 40, keel)
               .Line(-bow + 35, keel)
               .Curve(-bow + 8, keel - 8, -bow, 34)
               .Close(),
           Ink::kMain);
  if (pen.Chance(0.6)) pen.Stroke(Path::From(-bow + 14, 46).Line(bow - 10, 46), 5, Ink::kAccent);
}

void DrawTeapot(Pen& pen) {
  const double girth = pen.Between(48, 60);
  const double height = pen.Between(36, 50);
  const double lip = pen.Between(-30, -5);
  pen.Stroke(Path::From(girth - 8, -18).Curve(100, -40, 105, 50, girth - 14, 36),
             pen.Between(9, 14), Ink::kSecond);
  pen.Fill(Path::From(-girth + 10, 30)
               .Curve(-85, 25, -70, -10, -97, lip - 8)
               .Line(-82, lip - 14)
               .Curve(-62, -18, -62, -10, -girth + 14, -16)
               .Close(),
           Ink::kMain);
  pen.Oval(0, 14, girth, height, Ink::kMain);
  if (pen.Chance(0.6)) {
    pen.Fill(Path::From(-girth + 3, 6)
                 .Curve(0, pen.Between(18, 32), girth - 3, 6)
                 .Line(girth - 2, 22)
                 .Curve(0, 44, -girth + 2, 22)
                 .Close(),
             Ink::kAccent);
  }
  pen.Box(-30, 12 + height - 6, 60, 11, Ink::kSecond, 4);
  const double lid = 14 - height;
  pen.Fill(Path::From(-32, lid + 8).Curve(0, lid - pen.Between(22, 40), 32, lid + 8).Close(),
           Ink::kSecond);
  pen.Disc(0, lid - pen.Between(12, 18), pen.Between(6, 10), Ink::kAccent);
}

void DrawTree(Pen& pen) {
  const double trunk = pen.Between(8, 15);
  pen.Polygon({{-trunk, 95}, {-trunk * 0.6, 0}, {trunk * 0.6, 0}, {trunk, 95}}, Ink::kSecond);
  const int kind = pen.Count(0, 2);
  if (kind == 0) {  // a fir
    const int tiers = pen.Count(2, 4);
    for (int i = 0; i < tiers; ++i) {
      const double low = 50 - 105.0 * i / tiers;
      const double half = 65 - 40.0 * i / tiers;
      pen.Polygon({{-half, low}, {0, low - 155.0 / tiers - 12}, {half, low}}, Ink::kMain);
    }
    return;
  }
  if (kind == 1) {
    pen.Oval(0, -28, pen.Between(42, 62), pen.Between(55, 68), Ink::kMain);
  } else {
    pen.Disc(-34, -5, pen.Between(28, 38), Ink::kMain);
    pen.Disc(34, -5, pen.Between(28, 38), Ink::kMain);
    pen.Disc(pen.Between(-10, 10), -42, pen.Between(38, 50), Ink::kMain);
  }
  for (int fruit = pen.Chance(0.5) ? pen.Count(4, 9) : 0; fruit > 0; --fruit) {
    pen.Disc(pen.Between(-40, 40), pen.Between(-65, 12), 6, Ink::kAccent);
  }
}

void DrawUmbrella(Pen& pen) {
  const double half = pen.Between(78, 95);
  const double crown = pen.Between(-80, -60);
  const double rim = 0;
  Path handle = Path::From(0, crown - 10);
  const double hook = pen.Chance(0.5) ? 13 : -13;
  handle.Line(0, 72).Curve(0, 98, 2 * hook, 98, 2 * hook, 74);
  pen.Stroke(handle, pen.Between(5, 8), Ink::kDark);
  const int panels = pen.Count(3, 6);
  Path canopy = Path::From(-half, rim)
                    .Curve(-half * 0.85, crown, 0, crown)
                    .Curve(half * 0.85, crown, half, rim);
  const double step = 2 * half / panels;
  const double scallop = pen.Between(8, 18);
  for (int i = 0; i < panels; ++i) {
    const double right = half - i * step;
    canopy.Curve(right - step / 2, rim - scallop, right - step, rim);
  }
  pen.Fill(canopy.Close(), Ink::kMain);
  for (int i = 1; i < panels; i += 2) {
    const double left = -half + i * step;
    pen.Fill(Path::From(0, crown)
                 .Curve(left * 0.8, crown * 0.6, left, rim)
                 .Curve(left + step / 2, rim - scallop, left + step, rim)
                 .Curve((left + step) * 0.8, crown * 0.6, 0, crown)
                 .Close(),
             Ink::kSecond);
  }
}

constexpr std::array kFigures{
    Figure{"fish", DrawFish},     Figure{"house", DrawHouse}, Figure{"sailboat", DrawSailboat},
    Figure{"teapot", DrawTeapot}, Figure{"tree", DrawTree},   Figure{"umbrella", DrawUmbrella},
};

}  // namespace

std::span<const Figure> DemoFigures() { return kFigures; }

}  // namespace weir
