#include "stages/model/pixel_table.h"

namespace weir {

PixelTable MakePixelTable(const Preprocessing& preprocessing) {
  PixelTable table;
  for (int channel = 0; channel < 3; ++channel) {
    for (int value = 0; value < 256; ++value) {
      table[channel][value] =
          static_cast<float>(value) * preprocessing.scale[channel] + preprocessing.offset[channel];
    }
  }
  return table;
}

}  // namespace weir
