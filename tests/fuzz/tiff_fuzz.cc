// TIFFs: our look at their directories, then libtiff.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"
#include "tests/fuzz/picture_seeds.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> files =
      WrittenPictures({"a.tif", "b.tif[tile,tile_width=16,tile_height=16]",
                       "c.tif[compression=lzw]", "d.tif[compression=deflate,predictor=horizontal]",
                       "e.tif[compression=jpeg]", "f.tif[compression=packbits]", "g.tif[bigtiff]"});
  const DrawnHeaders::Seeds seeds{.jpegs = WrittenPictures({"a.jpg"})};
  return WithDrawn(std::move(files), seeds, &DrawnHeaders::Tiff);
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
