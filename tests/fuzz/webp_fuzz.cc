// WebPs: our look at their chunks and prefix codes, then libwebp.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"
#include "tests/fuzz/picture_seeds.h"
#include "tests/stages/decode/hostile_pictures.h"
#include "tests/stages/decode/picture_chunks.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> files =
      WrittenPictures({"a.webp", "b.webp[lossless]", "c.webp[near_lossless]", "d.webp[Q=20]"});
  const DrawnHeaders::Seeds seeds{.webps = {files[0], files[3]}};
  const std::string picture = WebpPicture(files[0]);
  files.push_back(ExtendedWebp(kWebpAnimated, 40, 30, WebpFrame(4, 2, 20, 12, picture)));
  files.push_back(ExtendedWebp(kWebpExif, 20, 12, picture + WebpChunk("EXIF", ExifBlock(8))));
  files.push_back(WebpWithAlpha(files[0], {.width = 20, .height = 12, .sets = 3}));
  files.push_back(
      LosslessWebp{.width = 9, .height = 7, .transforms = {{3, 4}}, .cache_bits = 2}.File());
  return WithDrawn(std::move(files), seeds, &DrawnHeaders::Webp);
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
