// Reads GIFs with our own decoder.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"
#include "tests/fuzz/picture_seeds.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> files =
      WrittenPictures({"a.gif", "b.gif[interlace]", "c.gif[bitdepth=2]"});
  const DrawnHeaders::Seeds seeds{.gifs = files};
  return WithDrawn(std::move(files), seeds, &DrawnHeaders::Gif);
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
