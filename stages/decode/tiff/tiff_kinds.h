// Which samples, colours and compressions of a TIFF weir reads. The others are refused by their
// names.
#pragma once

#include <cstdint>
#include <string>

#include "stages/decode/tiff/tiff_layout.h"

namespace weir {

// What else a TIFF says of its samples (TIFF 6.0, sections 16 and 19).
struct TiffSampleKinds {
  std::uint64_t sample_format = 1;
  std::uint64_t ink_set = 1;
};

// Why weir does not read it; empty where it does. Any thread.
std::string TiffKindWrong(const TiffLayout& layout, const TiffSampleKinds& kinds);

}  // namespace weir
