// JPEGs: our look at their headers and scans, then libjpeg-turbo.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"
#include "tests/fuzz/picture_seeds.h"
#include "tests/stages/decode/hostile_pictures.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> files =
      WrittenPictures({"a.jpg", "b.jpg[interlace]", "c.jpg[subsample_mode=off]", "d.jpg[Q=10]"});
  files.push_back(ArithmeticJpeg(24, 16));
  files.push_back(JpegOfScans(24, 16, 5));
  const DrawnHeaders::Seeds seeds{.jpegs = files};
  return WithDrawn(std::move(files), seeds, &DrawnHeaders::Jpeg);
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
