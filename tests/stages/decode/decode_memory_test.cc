// The tickets are real: no picture takes more than the stage says before it is admitted. Each is
// decoded in a process of its own (decode_peak.cc), whose growth is the most that it held.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/sanitizer.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

struct Measured {
  std::size_t ticket = 0;
  std::size_t peak = 0;
};

struct Case {
  std::string options;  // a suffix with the options of libvips' writer
  int width = 0, height = 0;
  int wanted = 224;
  bool sixteen_bit = false;
  int frames = 1;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.width << "x" << c.height << c.options << (c.sixteen_bit ? " of 16 bits" : "")
       << (c.frames > 1 ? " of many frames" : "") << " wanted " << c.wanted;
}

std::string Make(const Case& c, int width, int height, const std::string& path) {
  if (c.frames > 1) {
    const Vips frames = MakePhoto(width, height * c.frames);
    vips_image_set_int(frames.get(), VIPS_META_PAGE_HEIGHT, height);
    return Save(frames, path + c.options);
  }
  if (!c.sixteen_bit) return Save(MakePhoto(width, height), path + c.options);
  return Save(MakePicture<std::uint16_t>(width, height, 4, VIPS_INTERPRETATION_RGB16,
                                         [](int x, int y, int band) { return x * 7 + y * band; }),
              path + c.options);
}

Measured Measure(const Case& c) {
  StartVips();
  const ScratchFolder folder;
  const std::string small = Make(c, 64, 64, folder / "small");
  const std::string large = Make(c, c.width, c.height, folder / "large");
  const std::string command =
      std::string(WEIR_DECODE_PEAK) + " " + small + " " + large + " " + std::to_string(c.wanted);
  Measured measured;
  FILE* output = popen(command.c_str(), "r");
  EXPECT_EQ(std::fscanf(output, "%zu %zu", &measured.ticket, &measured.peak), 2) << command;
  EXPECT_EQ(pclose(output), 0);
  return measured;
}

class DecodeMemory : public testing::TestWithParam<Case> {};

TEST_P(DecodeMemory, StaysWithinTheTicket) {
  if (kHasSanitizer) GTEST_SKIP() << "a sanitizer's own memory would be measured";
  if (GetParam().options.find("webp") != std::string::npos &&
      vips_type_find("VipsOperation", "webpsave") == 0) {
    GTEST_SKIP() << "this libvips writes no WebP";
  }
  const Measured measured = Measure(GetParam());
  std::printf("ticket %6.2f MB, held %6.2f MB\n", measured.ticket / 1e6, measured.peak / 1e6);
  EXPECT_LE(measured.peak, measured.ticket);
}

INSTANTIATE_TEST_SUITE_P(
    Pictures, DecodeMemory,
    testing::Values(
        Case{".jpg", 4000, 3000}, Case{".jpg", 4000, 3000, 0}, Case{".jpg", 4000, 3000, 3000},
        Case{".jpg[interlace]", 4000, 3000}, Case{".jpg[interlace,subsample_mode=off]", 4000, 3000},
        Case{".jpg[interlace]", 4000, 3000, 0}, Case{".jpg", 60000, 40},
        Case{".png[compression=1]", 4000, 3000}, Case{".png[compression=1,interlace]", 4000, 3000},
        Case{".png[compression=1,interlace]", 6000, 5000},
        Case{".png[compression=1]", 4000, 3000, 0},
        Case{".png[compression=1]", 4000, 3000, 224, true},
        Case{".png[compression=1,interlace]", 2000, 1500, 224, true},
        Case{".png[compression=1]", 60000, 100}, Case{".png[compression=1]", 40, 60000},
        Case{".gif[effort=1]", 2000, 1500}, Case{".gif[effort=1]", 2000, 1500, 0},
        Case{".gif[effort=1,interlace]", 2000, 1500}, Case{".ppm", 4000, 3000},
        Case{".ppm", 4000, 3000, 0}, Case{".tif", 4000, 3000}, Case{".tif[tile]", 4000, 3000},
        Case{".tif[tile,tile_width=512,tile_height=512]", 4000, 3000},
        Case{".tif[compression=deflate]", 4000, 3000},
        Case{".tif[compression=jpeg,tile]", 4000, 3000}, Case{".tif[compression=jpeg]", 4000, 3000},
        Case{".tif", 4000, 3000, 224, true}, Case{".webp[effort=0]", 4000, 3000},
        Case{".webp[effort=0]", 4000, 3000, 0}, Case{".webp[effort=0,lossless]", 2000, 1500},
        Case{".webp[effort=0,lossless]", 2000, 1500, 0},
        // With alpha: its colours are not to be scaled by libwebp.
        Case{".webp[effort=0,lossless]", 2000, 1500, 224, true},
        // A camera's largest, a scanner's, a strip, an animation.
        Case{".jpg", 8000, 6000}, Case{".jpg[interlace]", 8000, 6000},
        Case{".png[compression=1]", 10000, 10000}, Case{".jpg", 20000, 10}, Case{".png", 20000, 10},
        Case{".gif[effort=1]", 96, 64, 224, false, 500}));

}  // namespace
}  // namespace weir
