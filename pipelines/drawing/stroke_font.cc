#include "pipelines/drawing/stroke_font.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace weir {
namespace {

// The strokes of a character: digits stand between 0 and 6, y downwards, the bodies of letters
// between 2 and 6; all are at most 4 wide.
struct Glyph {
  char character;
  double width;
  const char* path;
};

// clang-format off
constexpr std::array kGlyphs{
    Glyph{' ', 2.5, ""},
    Glyph{'.', 0.5, "M0.25 5.9V6"},
    Glyph{'-', 3, "M0.2 3.6H2.8"},
    Glyph{'(', 1.5, "M1.5 -0.5Q-0.5 3 1.5 7"},
    Glyph{')', 1.5, "M0 -0.5Q2 3 0 7"},
    Glyph{'0', 4, "M2 0Q4 0 4 3T2 6Q0 6 0 3T2 0Z"},
    Glyph{'1', 4, "M0.8 1.2L2 0V6M0.6 6H3.4"},
    Glyph{'2', 4, "M0.2 1.6Q0.4 0 2 0Q3.8 0 3.8 1.6Q3.8 2.8 0 6H4"},
    Glyph{'3', 4, "M0.2 0.8Q1 0 2 0Q3.7 0 3.7 1.5Q3.7 2.8 1.6 2.8Q4 2.8 4 4.4Q4 6 2 6Q0.8 6 0 5.1"},
    Glyph{'4', 4, "M3 6V0L0 4.2H4"},
    Glyph{'5', 4, "M3.6 0H0.6L0.3 2.8Q1 2.3 2 2.3Q4 2.3 4 4.1Q4 6 1.9 6Q0.8 6 0 5.2"},
    Glyph{'6', 4, "M3.5 0.5Q3 0 2.2 0Q0 0 0 3.8Q0 6 2 6Q4 6 4 4.1Q4 2.4 2.1 2.4Q0.5 2.4 0 3.9"},
    Glyph{'7', 4, "M0 0H4L1.4 6"},
    Glyph{'8', 4, "M2 2.8Q0.3 2.8 0.3 1.4Q0.3 0 2 0Q3.7 0 3.7 1.4Q3.7 2.8 2 2.8"
                  "Q4 2.8 4 4.4Q4 6 2 6Q0 6 0 4.4Q0 2.8 2 2.8"},
    Glyph{'9', 4, "M0.5 5.5Q1 6 1.8 6Q4 6 4 2.2Q4 0 2 0Q0 0 0 1.9Q0 3.6 1.9 3.6Q3.5 3.6 4 2.1"},
    Glyph{'a', 3.6, "M3.6 2V6M3.6 4Q3.6 2 1.9 2Q0 2 0 4Q0 6 1.9 6Q3.6 6 3.6 4"},
    Glyph{'b', 3.6, "M0 0V6M0 4Q0 2 1.7 2Q3.6 2 3.6 4Q3.6 6 1.7 6Q0 6 0 4"},
    Glyph{'c', 3.6, "M3.6 2.7Q3 2 2 2Q0 2 0 4Q0 6 2 6Q3 6 3.6 5.3"},
    Glyph{'d', 3.6, "M3.6 0V6M3.6 4Q3.6 2 1.9 2Q0 2 0 4Q0 6 1.9 6Q3.6 6 3.6 4"},
    Glyph{'e', 3.8, "M0.1 4H3.8Q3.8 2 2 2Q0 2 0 4Q0 6 2.1 6Q3.1 6 3.7 5.3"},
    Glyph{'f', 2.6, "M2.6 0.1Q1.1 -0.3 1.1 1.6V6M0 2.2H2.3"},
    Glyph{'g', 3.6, "M3.6 2V6.4Q3.6 8 1.9 8Q0.8 8 0.2 7.4"
                    "M3.6 4Q3.6 2 1.9 2Q0 2 0 4Q0 6 1.9 6Q3.6 6 3.6 4"},
    Glyph{'h', 3.4, "M0 0V6M0 3.8Q0.2 2 1.8 2Q3.4 2 3.4 3.8V6"},
    Glyph{'i', 0.5, "M0.25 2V6M0.25 0.3V0.4"},
    Glyph{'j', 1.2, "M1 2V6.6Q1 8 0 8M1 0.3V0.4"},
    Glyph{'k', 3.2, "M0 0V6M3 2L0 4.4M1.2 3.5L3.2 6"},
    Glyph{'l', 0.5, "M0.25 0V6"},
    Glyph{'m', 4.8, "M0 2V6M0 3.6Q0.1 2 1.2 2Q2.4 2 2.4 3.6V6M2.4 3.6Q2.5 2 3.6 2Q4.8 2 4.8 3.6V6"},
    Glyph{'n', 3.4, "M0 2V6M0 3.8Q0.2 2 1.8 2Q3.4 2 3.4 3.8V6"},
    Glyph{'o', 4, "M2 2Q4 2 4 4T2 6Q0 6 0 4T2 2Z"},
    Glyph{'p', 3.6, "M0 2V8M0 4Q0 2 1.7 2Q3.6 2 3.6 4Q3.6 6 1.7 6Q0 6 0 4"},
    Glyph{'q', 3.6, "M3.6 2V8M3.6 4Q3.6 2 1.9 2Q0 2 0 4Q0 6 1.9 6Q3.6 6 3.6 4"},
    Glyph{'r', 2.2, "M0 2V6M0 4Q0.1 2 2.2 2"},
    Glyph{'s', 3.4, "M3.3 2.6Q2.7 2 1.7 2Q0.3 2 0.3 3Q0.3 3.9 1.8 4"
                    "Q3.4 4.1 3.4 5Q3.4 6 1.8 6Q0.6 6 0 5.3"},
    Glyph{'t', 2.6, "M1 0.6V4.8Q1 6 1.9 6Q2.3 6 2.6 5.8M0 2H2.4"},
    Glyph{'u', 3.4, "M0 2V4.2Q0 6 1.6 6Q3.4 6 3.4 4.2M3.4 2V6"},
    Glyph{'v', 3.6, "M0 2L1.8 6L3.6 2"},
    Glyph{'w', 4.8, "M0 2L1.2 6L2.4 2.6L3.6 6L4.8 2"},
    Glyph{'x', 3.4, "M0 2L3.4 6M3.4 2L0 6"},
    Glyph{'y', 3.6, "M0 2L1.8 6M3.6 2L1.4 7.4Q1.1 8 0.3 8"},
    Glyph{'z', 3.4, "M0.2 2H3.3L0 6H3.4"},
};
// clang-format on

constexpr double kBaseLine = 6;  // where the characters stand, and the height of a digit
constexpr double kGap = 1.5;     // between two characters
constexpr double kStroke = 0.75;

const Glyph& GlyphOf(char character) {
  const auto glyph = std::find_if(kGlyphs.begin(), kGlyphs.end(), [character](const Glyph& each) {
    return each.character == character;
  });
  assert(glyph != kGlyphs.end());
  return *glyph;
}

}  // namespace

double TextWidth(std::string_view text, double size) {
  double width = 0;
  for (const char each : text) width += GlyphOf(each).width + kGap;
  return text.empty() ? 0 : (width - kGap) * size / kBaseLine;
}

std::string TextSvg(std::string_view text, const Point& at, const TextStyle& style) {
  const double part = style.place == TextPlace::kLeft     ? 0
                      : style.place == TextPlace::kMiddle ? 0.5
                                                          : 1;
  std::string svg =
      "<g" + Attribute("fill", "none") + Attribute("stroke", ToSvg(style.colour)) +
      Attribute("stroke-width", kStroke) + Attribute("stroke-linecap", "round") +
      Attribute("stroke-linejoin", "round") +
      Attribute("transform", "translate(" + ToSvg(at.x) + " " + ToSvg(at.y) + ")rotate(" +
                                 (style.is_upwards ? "-90" : "0") + ")translate(" +
                                 ToSvg(-part * TextWidth(text, style.size)) + " 0)scale(" +
                                 ToSvg(style.size / kBaseLine) + ")") +
      ">";
  double x = 0;
  for (const char each : text) {
    const Glyph& glyph = GlyphOf(each);
    svg += "<path" + Attribute("d", glyph.path) +
           Attribute("transform", "translate(" + ToSvg(x) + " " + ToSvg(-kBaseLine) + ")") + "/>";
    x += glyph.width + kGap;
  }
  return svg + "</g>";
}

}  // namespace weir
