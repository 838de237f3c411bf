// Reads BMPs with our own decoder.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"
#include "tests/fuzz/picture_seeds.h"
#include "tests/stages/decode/picture_chunks.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const auto bmp = [](int bits, int compression, const std::string& pixels) {
    const std::string palette(bits <= 8 ? 16 : 0, '\x40');
    return "BM" + std::string(8, '\0') + LittleBytes(54 + palette.size(), 4) + LittleBytes(40, 4) +
           LittleBytes(4, 4) + LittleBytes(2, 4) + LittleBytes(1, 2) + LittleBytes(bits, 2) +
           LittleBytes(compression, 4) + std::string(12, '\0') + LittleBytes(bits <= 8 ? 4 : 0, 4) +
           std::string(4, '\0') + palette + pixels;
  };
  const std::string runs("\4\1\0\0\2\2\0\2\1\0\0\4\1\2\3\0\0\1",
                         18);  // RLE: runs, a jump, literals
  std::vector<std::string> files = {bmp(1, 0, std::string(8, '\x50')),
                                    bmp(4, 0, std::string(8, '\x12')),
                                    bmp(8, 0, std::string(8, '\1')),
                                    bmp(8, 1, runs),
                                    bmp(4, 2, runs),
                                    bmp(24, 0, std::string(24, '\7')),
                                    bmp(32, 3, std::string(64, '\xf0'))};
  return WithDrawn(std::move(files), {}, &DrawnHeaders::Bmp);
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
