// weir's own pictures: small labelled sets, drawn, so that a first run needs no data from anywhere.
//
// The demo's set has 6 classes; the other one, with 35 others, is what the demo's backbone was
// trained on. Colours, backgrounds, sizes and angles are drawn by chance and tell nothing of the
// class: only the form does.
//
// Any thread; TBB draws several pictures at once, outside the ledger (no run is in progress): a
// process that draws two takes 17 MB. A picture takes some 10 ms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weir {

enum class DrawingSet { kDemo, kPretrain };

struct DrawingOptions {
  std::filesystem::path folder{};
  DrawingSet set = DrawingSet::kDemo;
  int per_class = 160;
  int size = 256;  // pixels; a side takes 5/8 to 5/4 of it
  std::uint64_t seed = 1;
  int threads = 1;  // changes no byte
};

// In the order of their labels.
std::vector<std::string> DrawnClasses(DrawingSet set);

// Draws folder/<class>/<number>.jpg, `per_class` of each. Returns whether it drew: where the folder
// holds this very drawing already, it is left as it is; what was broken off is drawn anew. Throws
// Error(kConfig) where the folder holds anything else, Error(kData) where it cannot be written.
bool DrawPictures(const DrawingOptions& options);

}  // namespace weir
