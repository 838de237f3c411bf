#include "stages/decode/tiff/tiff_header.h"

#include "stages/decode/tiff/tiff_layout.h"
#include "stages/decode/tiff/tiff_samples.h"

namespace weir {

std::string ParseTiffHeader(FileBytes& file, ImageHeader& header) {
  TiffLayout layout;
  if (std::string wrong = ReadTiffLayout(file, layout); !wrong.empty()) return wrong;
  header.width = layout.width;
  header.height = layout.height;
  if (header.width <= 0 || header.height <= 0) return "";  // refused by the caller
  header.orientation = layout.orientation;
  header.channels = static_cast<int>(layout.colour == kTiffPalette ? 3 : layout.samples);
  header.sample_bytes = layout.bits > 8 ? 2 : 1;
  header.held_bytes = layout.HeldBytes() + TiffSamples::Bytes(layout);
  return "";
}

}  // namespace weir
