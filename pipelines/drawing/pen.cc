#include "pipelines/drawing/pen.h"

namespace weir {
namespace {

std::string GradientName(int ink) { return "ink" + std::to_string(ink); }

}  // namespace

int Pen::Count(int least, int most) {
  return least + static_cast<int>(random_.Below(static_cast<std::uint64_t>(most - least) + 1));
}

std::string Pen::Paint(Ink ink) const {
  const int index = static_cast<int>(ink);
  const Colour& colour = style_.colours[index];
  if (style_.is_hollow) {
    return Attribute("fill", "none") + Attribute("stroke", ToSvg(colour)) +
           Attribute("stroke-width", style_.outline) + Attribute("stroke-linejoin", "round");
  }
  const std::string fill = style_.is_shaded ? "url(#" + GradientName(index) + ")" : ToSvg(colour);
  if (style_.outline == 0) return Attribute("fill", fill);
  return Attribute("fill", fill) +
         Attribute("stroke", ToSvg(style_.colours[static_cast<int>(Ink::kDark)])) +
         Attribute("stroke-width", style_.outline) + Attribute("stroke-linejoin", "round");
}

void Pen::Fill(const Path& path, Ink ink) {
  svg_ += "<path" + Attribute("d", path.text()) + Paint(ink) + "/>";
}

void Pen::Oval(double x, double y, double rx, double ry, Ink ink) {
  svg_ += "<ellipse" + Attribute("cx", x) + Attribute("cy", y) + Attribute("rx", rx) +
          Attribute("ry", ry) + Paint(ink) + "/>";
}

void Pen::Box(double x, double y, double width, double height, Ink ink, double corner) {
  svg_ += "<rect" + Attribute("x", x) + Attribute("y", y) + Attribute("width", width) +
          Attribute("height", height) + Attribute("rx", corner) + Paint(ink) + "/>";
}

void Pen::Stroke(const Path& path, double width, Ink ink) {
  const std::string shape = "<path" + Attribute("d", path.text()) + Attribute("fill", "none") +
                            Attribute("stroke-linecap", "round") +
                            Attribute("stroke-linejoin", "round");
  const auto line = [&](Ink colour, double line_width) {
    svg_ += shape + Attribute("stroke", ToSvg(style_.colours[static_cast<int>(colour)])) +
            Attribute("stroke-width", line_width) + "/>";
  };
  if (style_.is_hollow) return line(ink, style_.outline);
  if (style_.outline > 0) line(Ink::kDark, width + 2 * style_.outline);
  line(ink, width);
}

std::string Pen::Definitions() const {
  if (!style_.is_shaded) return "";
  const Colour white{1, 1, 1}, black{};
  std::string text;
  for (int ink = 0; ink < kInks; ++ink) {
    const Colour& colour = style_.colours[ink];
    text += "<linearGradient" + Attribute("id", GradientName(ink)) +
            R"( x1="0" y1="0" x2="0.6" y2="1"><stop offset="0")" +
            Attribute("stop-color", ToSvg(Mixed(colour, white, 0.35))) + R"(/><stop offset="1")" +
            Attribute("stop-color", ToSvg(Mixed(colour, black, 0.35))) + "/></linearGradient>";
  }
  return text;
}

}  // namespace weir
