// PNGs: our look at their chunks and texts, then libvips and libpng.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"
#include "tests/fuzz/picture_seeds.h"
#include "tests/stages/decode/picture_chunks.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> files =
      WrittenPictures({"a.png", "b.png[interlace]", "c.png[palette]", "d.png[bitdepth=1]"});
  files.push_back(WithPngChunks(files[0], PngChunk("eXIf", ExifBlock(6)), false));
  files.push_back(WithPngChunks(
      files[0], PngChunk("iTXt", std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + XmpPacket(3)),
      true));
  files.push_back(WithPngChunks(
      files[0], PngChunk("zTXt", std::string("Raw profile type exif\0\0", 23) + Deflated("a")),
      true));
  const DrawnHeaders::Seeds seeds{.pngs = files};
  return WithDrawn(std::move(files), seeds, &DrawnHeaders::Png);
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
