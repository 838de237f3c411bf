#include "pipelines/drawing/scene.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace weir {
namespace {

// The canvas of one picture.
struct Canvas {
  double width;
  double height;
  CounterRandom& random;
  std::string svg{};
  std::string definitions{};

  double Between(double low, double high) { return random.Uniform(low, high); }
  bool Chance(double probability) { return random.Uniform() < probability; }
  int Below(int count) { return static_cast<int>(random.Below(count)); }
  double shorter() const { return std::min(width, height); }
};

constexpr int kBackgroundColours = 3;
using Background = std::array<Colour, kBackgroundColours>;

Colour AnyColour(Canvas& canvas, double most_saturation) {
  return FromHsv(canvas.Between(0, 1), canvas.Between(0.05, most_saturation),
                 canvas.Between(0.15, 1));
}

Background BackgroundColours(Canvas& canvas) {
  Background colours;
  colours[0] = AnyColour(canvas, 0.8);
  for (int i = 1; i < kBackgroundColours; ++i) {  // like the first, so that the figure stands out
    colours[i] = Mixed(colours[0], AnyColour(canvas, 0.8), canvas.Between(0.2, 0.55));
  }
  return colours;
}

// A colour at some distance from all of `others`: the best of a few where none is far enough.
Colour ColourApart(Canvas& canvas, const std::vector<Colour>& others, double distance) {
  constexpr int kTries = 30;
  Colour best;
  double best_distance = -1;
  for (int i = 0; i < kTries && best_distance < distance; ++i) {
    const Colour colour = AnyColour(canvas, 1);
    double nearest = 2;
    for (const Colour& other : others) nearest = std::min(nearest, Distance(colour, other));
    if (nearest > best_distance) best = colour, best_distance = nearest;
  }
  return best;
}

std::string Rectangle(double x, double y, double width, double height, const std::string& fill) {
  return "<rect" + Attribute("x", x) + Attribute("y", y) + Attribute("width", width) +
         Attribute("height", height) + Attribute("fill", fill) + "/>";
}

void AddGradient(Canvas& canvas, const Background& colours) {
  const bool is_radial = canvas.Chance(0.4);
  canvas.definitions +=
      is_radial ? "<radialGradient id=\"back\"" + Attribute("cx", canvas.Between(0.2, 0.8)) +
                      Attribute("cy", canvas.Between(0.2, 0.8)) + Attribute("r", 0.8) + ">"
                : "<linearGradient id=\"back\"" + Attribute("x2", canvas.Between(0, 1)) +
                      Attribute("y2", canvas.Between(0, 1)) + ">";
  for (int i = 0; i < kBackgroundColours; ++i) {
    canvas.definitions += "<stop" + Attribute("offset", i / (kBackgroundColours - 1.0)) +
                          Attribute("stop-color", ToSvg(colours[i])) + "/>";
  }
  canvas.definitions += is_radial ? "</radialGradient>" : "</linearGradient>";
  canvas.svg += Rectangle(0, 0, canvas.width, canvas.height, "url(#back)");
}

void AddStripes(Canvas& canvas, const Background& colours) {
  const double reach = canvas.width + canvas.height;
  const double step = canvas.shorter() * canvas.Between(0.08, 0.3);
  canvas.svg +=
      "<g" +
      Attribute("transform", "rotate(" + ToSvg(canvas.Between(0, 180)) + " " +
                                 ToSvg(canvas.width / 2) + " " + ToSvg(canvas.height / 2) + ")") +
      ">";
  int stripe = 0;
  for (double x = -reach / 2; x < reach; x += step) {
    canvas.svg += Rectangle(x, -reach / 2, step + 1, 2 * reach,
                            ToSvg(colours[stripe++ % kBackgroundColours]));
  }
  canvas.svg += "</g>";
}

void AddTiles(Canvas& canvas, const Background& colours) {
  const double side = canvas.shorter() * canvas.Between(0.1, 0.35);
  for (double y = 0; y < canvas.height; y += side) {
    for (double x = 0; x < canvas.width; x += side) {
      canvas.svg +=
          Rectangle(x, y, side + 0.5, side + 0.5, ToSvg(colours[canvas.Below(kBackgroundColours)]));
    }
  }
}

void AddHorizon(Canvas& canvas, const Background& colours) {
  const double horizon = canvas.height * canvas.Between(0.3, 0.8);
  Path ground = Path::From(0, horizon);
  ground.Curve(canvas.width / 2, horizon + canvas.Between(-0.2, 0.2) * canvas.height, canvas.width,
               horizon + canvas.Between(-0.1, 0.1) * canvas.height);
  ground.Line(canvas.width, canvas.height).Line(0, canvas.height).Close();
  canvas.svg += Rectangle(0, 0, canvas.width, canvas.height, ToSvg(colours[0]));
  canvas.svg +=
      "<path" + Attribute("d", ground.text()) + Attribute("fill", ToSvg(colours[1])) + "/>";
}

void AddBlots(Canvas& canvas, const Background& colours) {
  canvas.svg += Rectangle(0, 0, canvas.width, canvas.height, ToSvg(colours[0]));
  for (int i = 12 + canvas.Below(20); i > 0; --i) {
    canvas.svg += "<circle" + Attribute("cx", canvas.Between(0, canvas.width)) +
                  Attribute("cy", canvas.Between(0, canvas.height)) +
                  Attribute("r", canvas.shorter() * canvas.Between(0.05, 0.3)) +
                  Attribute("fill", ToSvg(colours[1 + canvas.Below(kBackgroundColours - 1)])) +
                  Attribute("opacity", canvas.Between(0.2, 0.7)) + "/>";
  }
}

void AddBackground(Canvas& canvas, const Background& colours) {
  constexpr std::array kKinds{AddGradient, AddGradient, AddStripes, AddTiles, AddHorizon, AddBlots};
  kKinds[canvas.Below(kKinds.size())](canvas, colours);
}

// A small form that belongs to no class.
void AddBit(Canvas& canvas, double x, double y, double size) {
  const std::string colour = ToSvg(AnyColour(canvas, 0.9));
  const std::string paint =
      Attribute("fill", colour) + Attribute("opacity", canvas.Between(0.5, 1));
  const double across = size * canvas.Between(0.3, 1);
  switch (canvas.Below(4)) {
    case 0:
      canvas.svg += "<ellipse" + Attribute("cx", x) + Attribute("cy", y) + Attribute("rx", size) +
                    Attribute("ry", across) + paint + "/>";
      return;
    case 1:
      canvas.svg += Rectangle(x - size, y - across, 2 * size, 2 * across, colour);
      return;
    case 2:
      canvas.svg += "<path" +
                    Attribute("d", Path::Polygon({{x - size, y + across},
                                                  {x + size * canvas.Between(-1, 1), y - size},
                                                  {x + size, y + across}})
                                       .text()) +
                    paint + "/>";
      return;
    default:
      canvas.svg += "<path" +
                    Attribute("d", Path::From(x - 2 * size, y)
                                       .Curve(x, y + canvas.Between(-3, 3) * size, x + 2 * size,
                                              y + canvas.Between(-1, 1) * size)
                                       .text()) +
                    Attribute("fill", "none") + Attribute("stroke", colour) +
                    Attribute("stroke-width", std::max(1.5, size * 0.3)) + "/>";
  }
}

void AddClutter(Canvas& canvas) {
  for (int i = canvas.Below(9); i > 0; --i) {
    AddBit(canvas, canvas.Between(0, canvas.width), canvas.Between(0, canvas.height),
           canvas.shorter() * canvas.Between(0.02, 0.1));
  }
}

// What stands before the figure keeps to the margins, so that it hides no more than an edge.
void AddForeground(Canvas& canvas) {
  for (int i = canvas.Below(3); i > 0; --i) {
    const bool is_beside = canvas.Chance(0.5);
    const double margin = canvas.Chance(0.5) ? canvas.Between(0, 0.12) : canvas.Between(0.88, 1);
    AddBit(canvas, canvas.width * (is_beside ? margin : canvas.Between(0, 1)),
           canvas.height * (is_beside ? canvas.Between(0, 1) : margin),
           canvas.shorter() * canvas.Between(0.03, 0.08));
  }
}

DrawingStyle StyleFor(Canvas& canvas, const Background& background) {
  std::vector<Colour> seen(background.begin(), background.end());
  DrawingStyle style;
  style.colours[0] = ColourApart(canvas, seen, 0.5);
  seen.push_back(style.colours[0]);
  for (int ink = 1; ink < 3; ++ink) {
    style.colours[ink] = ColourApart(canvas, seen, 0.4);
    seen.push_back(style.colours[ink]);
  }
  const Colour white{1, 1, 1}, black{};
  style.colours[static_cast<int>(Ink::kLight)] = Mixed(AnyColour(canvas, 0.6), white, 0.7);
  style.colours[static_cast<int>(Ink::kDark)] = Mixed(AnyColour(canvas, 1), black, 0.75);
  style.is_hollow = canvas.Chance(0.08);
  style.is_shaded = canvas.Chance(0.5);
  style.outline = style.is_hollow || canvas.Chance(0.55) ? canvas.Between(2, 5) : 0;
  if (style.is_hollow) style.colours.fill(style.colours[0]);
  return style;
}

void AddFigure(Canvas& canvas, const Figure& figure, const Background& background,
               double least_size) {
  Pen pen(StyleFor(canvas, background), canvas.random);
  figure.draw(pen);
  canvas.definitions += pen.Definitions();

  const double scale = canvas.shorter() * canvas.Between(least_size, 1.05) / 200;
  const double room_x = std::max(0.0, canvas.width / 2 - 85 * scale);
  const double room_y = std::max(0.0, canvas.height / 2 - 85 * scale);
  const double stretch = canvas.Between(0.85, 1.18);
  const double mirror = canvas.Chance(0.5) ? -1 : 1;
  const std::string transform =
      "translate(" + ToSvg(canvas.width / 2 + canvas.Between(-room_x, room_x)) + " " +
      ToSvg(canvas.height / 2 + canvas.Between(-room_y, room_y)) + ") rotate(" +
      ToSvg(canvas.Between(-25, 25)) + ") skewX(" + ToSvg(canvas.Between(-10, 10)) + ") scale(" +
      ToSvg(100 * mirror * scale * stretch) + " " + ToSvg(100 * scale / stretch) + ") scale(0.01)";
  canvas.svg += "<g" + Attribute("transform", transform) + ">" + pen.svg() + "</g>";
}

}  // namespace

std::string SceneSvg(const Figure& figure, int width, int height, double least_size,
                     CounterRandom& random) {
  Canvas canvas{static_cast<double>(width), static_cast<double>(height), random};
  const Background background = BackgroundColours(canvas);
  AddBackground(canvas, background);
  AddClutter(canvas);
  AddFigure(canvas, figure, background, least_size);
  AddForeground(canvas);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + Attribute("width", canvas.width) +
         Attribute("height", canvas.height) + "><defs>" + canvas.definitions + "</defs>" +
         canvas.svg + "</svg>";
}

void Photograph(std::vector<std::uint8_t>& pixels, int width, int height, CounterRandom& random) {
  const double noise = random.Uniform(1, 10);
  const double light_x = random.Uniform(-0.25, 0.25) / width;
  const double light_y = random.Uniform(-0.25, 0.25) / height;
  const double contrast = random.Uniform(0.75, 1);
  const bool is_grey = random.Uniform() < 0.08;
  const int middle_x = width / 2, middle_y = height / 2;
  std::size_t at = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, at += 3) {
      const double light = 1 + light_x * (x - middle_x) + light_y * (y - middle_y);
      const std::uint32_t bits = random.Next();
      const double grey = (pixels[at] + 2.0 * pixels[at + 1] + pixels[at + 2]) / 4;
      for (int c = 0; c < 3; ++c) {
        const auto dice = static_cast<int>((bits >> (8 * c) & 15) +
                                           (bits >> (8 * c + 4) & 15));  // a triangle, mean 15
        const double level = is_grey ? grey : pixels[at + c];
        const double seen = 128 + (level * light - 128) * contrast + noise * (dice - 15) / 6.5;
        pixels[at + c] = static_cast<std::uint8_t>(std::clamp(std::lround(seen), 0L, 255L));
      }
    }
  }
}

}  // namespace weir
