#include "stages/model/export/formats/preprocessing_text.h"

#include <array>
#include <sstream>

namespace weir {
namespace {

bool AreEqual(const std::array<float, 3>& channels) {
  return channels[0] == channels[1] && channels[1] == channels[2];
}

std::string Text(float number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

std::string InputText(const ExportJob& job, const std::string& size, bool channels_last) {
  switch (job.input) {
    case ExportInput::kUint8:
      return "RGB pictures of " + size +
             " pixels in bytes, [N, H, W, 3]; inside, each byte x "
             "becomes ";
    case ExportInput::kAnySize:
      return "RGB pictures of any one size in bytes, [N, height, width, 3]; inside, they are "
             "resized to " +
             size +
             " pixels, whatever their form, with a triangle filter as wide as the scale, and each "
             "value x becomes ";
    case ExportInput::kFloat:
      return "RGB pictures of " + size + " pixels in float32, " +
             (channels_last ? "[N, H, W, 3]" : "[N, 3, H, W]") + ", of which each byte x was made ";
  }
  return "";
}

}  // namespace

std::string PreprocessingText(const ExportJob& job, bool channels_last) {
  const MapSize size = job.graph.model().network().input();
  return InputText(job, std::to_string(size.height) + " x " + std::to_string(size.width),
                   channels_last) +
         PreprocessingFormula(job.graph.model().preprocessing());
}

std::string InputShapeText(const ExportJob& job, bool channels_last) {
  const MapSize size = job.graph.model().network().input();
  const std::string sides = std::to_string(size.height) + ", " + std::to_string(size.width);
  switch (job.input) {
    case ExportInput::kUint8:
      return "uint8 [N, " + sides + ", 3]";
    case ExportInput::kAnySize:
      return "uint8 [N, height, width, 3]";
    case ExportInput::kFloat:
      return channels_last ? "float32 [N, " + sides + ", 3]" : "float32 [N, 3, " + sides + "]";
  }
  return "";
}

std::string PreprocessingFormula(const Preprocessing& preprocessing) {
  const auto& [scale, offset] = preprocessing;
  if (AreEqual(scale) && AreEqual(offset)) {
    const bool is_negative = offset[0] < 0;
    return "x * " + Text(scale[0]) + (is_negative ? " - " : " + ") +
           Text(is_negative ? -offset[0] : offset[0]);
  }
  const auto list = [](const std::array<float, 3>& channels) {
    return "[" + Text(channels[0]) + ", " + Text(channels[1]) + ", " + Text(channels[2]) + "]";
  };
  return "x * " + list(scale) + " + " + list(offset) + " of red, green and blue";
}

}  // namespace weir
