// No picture takes more memory than it is admitted with, whatever its file says of itself: every
// request for memory of every library is counted while it is decoded.
//
// WEIR_DECODE_BOUNDS=N draws N headers of each kind in place of 120, WEIR_DECODE_SEED=S others;
// WEIR_DECODE_CORPUS is a folder whose files are measured too.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/stages/decode/decode_probe.h"
#include "tests/stages/decode/drawn_headers.h"
#include "tests/stages/decode/hostile_pictures.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/stages/decode/tiff_file.h"
#include "tests/support/counting_malloc.h"
#include "tests/support/environment_number.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

// A header is looked at before anything is set aside for it.
constexpr std::size_t kMostOfALook = 512 << 10;
// Larger pictures are admitted in the same way, and take long.
constexpr std::size_t kMostMeasured = std::size_t{400} << 20;
constexpr int kMegapixels = 40;

class DecodeBoundsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!kCountsAllocations) GTEST_SKIP() << "a sanitizer's malloc cannot be replaced";
    // What a library allocates once is no picture's.
    const Vips photo = MakePhoto(64, 64);
    for (const char* name : {"a.jpg", "b.png", "c.gif", "d.webp", "e.tif"}) {
      Must(full_.Map(Save(photo, folder_ / name)));
    }
  }

  void TearDown() override {
    if (pictures_ == 0) return;
    std::printf("%zu files, %zu admitted, %zu read; the largest share is %.3f: %s\n", files_,
                pictures_, read_, largest_share_, largest_.c_str());
  }

  void Measure(const std::string& path, const std::string& name) {
    ++files_;
    for (DecodeProbe* probe : {&full_, &small_}) {
      const AllocatedBytes before;
      const Outcome<std::size_t> admitted = probe->Admit(path);
      EXPECT_LE(before.peak_growth(), kMostOfALook) << name << " when it is looked at";
      const std::size_t* ticket = std::get_if<std::size_t>(&admitted);
      if (!ticket || *ticket > kMostMeasured) continue;
      const AllocatedBytes start;
      const Outcome<Image> outcome = probe->Map(path);
      const std::size_t taken = start.peak_growth();
      EXPECT_LE(taken, *ticket) << name;
      ++pictures_;
      read_ += std::holds_alternative<Image>(outcome);
      const double share = static_cast<double>(taken) / static_cast<double>(*ticket);
      if (share > largest_share_) {
        largest_share_ = share;
        largest_ = name;
      }
    }
  }
  void MeasureBytes(const std::string& bytes, const std::string& name) {
    Measure(folder_.Write("drawn", bytes), name);
  }

  void MeasureDrawn(const char* kind, std::string (DrawnHeaders::*draw)()) {
    const std::size_t count = EnvironmentNumber("WEIR_DECODE_BOUNDS", 120);
    const std::size_t seed = EnvironmentNumber("WEIR_DECODE_SEED", 1);
    DrawnHeaders drawn(Seeds(), static_cast<std::uint32_t>(seed));
    for (std::size_t i = 0; i < count; ++i) {
      MeasureBytes((drawn.*draw)(), std::string(kind) + " " + std::to_string(i) + " of seed " +
                                        std::to_string(seed));
    }
  }

  DrawnHeaders::Seeds Seeds() {
    DrawnHeaders::Seeds seeds;
    const Vips photo = MakePhoto(64, 64);
    const Vips inks = MakePicture(64, 64, 4, VIPS_INTERPRETATION_CMYK,
                                  [](int x, int y, int band) { return x * y + band; });
    const auto bytes = [&](const Vips& picture, const char* name) {
      return FileText(Save(picture, folder_ / name));
    };
    seeds.jpegs = {bytes(photo, "a.jpg"), bytes(photo, "b.jpg[interlace]"), bytes(inks, "c.jpg"),
                   bytes(photo, "d.jpg[subsample_mode=off]")};
    seeds.pngs = {bytes(photo, "a.png"), bytes(photo, "b.png[interlace]"),
                  bytes(photo, "c.png[palette]")};
    seeds.gifs = {bytes(photo, "a.gif"), bytes(photo, "b.gif[interlace]")};
    seeds.webps = {bytes(photo, "a.webp"), bytes(photo, "b.webp[Q=20]")};
    return seeds;
  }

  DecodeProbe full_{0, 0, kMegapixels};
  DecodeProbe small_{224, 224, kMegapixels};
  const ScratchFolder folder_;

 private:
  std::size_t files_ = 0, pictures_ = 0, read_ = 0;
  double largest_share_ = 0;
  std::string largest_;
};

TEST_F(DecodeBoundsTest, HoldForDrawnJpegs) { MeasureDrawn("JPEG", &DrawnHeaders::Jpeg); }
TEST_F(DecodeBoundsTest, HoldForDrawnPngs) { MeasureDrawn("PNG", &DrawnHeaders::Png); }
TEST_F(DecodeBoundsTest, HoldForDrawnGifs) { MeasureDrawn("GIF", &DrawnHeaders::Gif); }
TEST_F(DecodeBoundsTest, HoldForDrawnWebps) { MeasureDrawn("WebP", &DrawnHeaders::Webp); }
TEST_F(DecodeBoundsTest, HoldForDrawnTiffs) { MeasureDrawn("TIFF", &DrawnHeaders::Tiff); }
TEST_F(DecodeBoundsTest, HoldForDrawnBmps) { MeasureDrawn("BMP", &DrawnHeaders::Bmp); }

TEST_F(DecodeBoundsTest, HoldForWhatLibrariesWrite) {
  const Vips photo = MakePhoto(1900, 1200);
  for (const char* name :
       {"a.jpg", "b.jpg[interlace]", "c.jpg[subsample_mode=off,interlace]", "d.png[compression=1]",
        "e.png[compression=1,interlace]", "f.png[palette]", "g.gif[effort=1]", "h.webp[effort=0]",
        "i.webp[effort=0,lossless]", "j.webp[effort=4,lossless]", "k.tif", "l.tif[tile]",
        "m.tif[compression=lzw]", "n.tif[compression=deflate,predictor=horizontal]",
        "o.tif[compression=jpeg]", "p.tif[compression=jpeg,tile]", "q.tif[compression=packbits]",
        "r.tif[compression=zstd]", "s.tif[bigtiff,tile,tile_width=512,tile_height=512]"}) {
    Measure(Save(photo, folder_ / name), name);
  }
}

TEST_F(DecodeBoundsTest, HoldForHostileFiles) {
  MeasureBytes(LosslessWebp{.width = 512, .height = 512, .sets = 16384}.File(), "sets of codes");
  MeasureBytes(LosslessWebp{.width = 500, .height = 300, .cache_bits = 11, .sets = 9000}.File(),
               "sets of codes with a colour cache");
  MeasureBytes(JpegOfScans(3000, 2000, 60), "scans");
  TiffFile tags(20, 20);
  for (std::uint16_t i = 0; i < 3000; ++i) tags.Set(40'000 + i, 7);
  tags.pieces = {std::string(400, '\0')};
  MeasureBytes(tags.Bytes(), "tags without a name");
  for (const std::string folder : {"hostile", "data/hymenoptera/val", "data/imagenet_samples"}) {
    const auto shared = SharedData(folder);
    if (!shared) GTEST_SKIP() << kNoSharedData;
    for (const auto& entry : fs::recursive_directory_iterator(*shared)) {
      if (entry.is_regular_file()) Measure(entry.path(), entry.path().filename());
    }
  }
}

TEST_F(DecodeBoundsTest, HoldForACorpus) {
  const char* folder = std::getenv("WEIR_DECODE_CORPUS");
  if (!folder) GTEST_SKIP() << "WEIR_DECODE_CORPUS names no folder";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) Measure(entry.path(), entry.path().filename());
  }
}

}  // namespace
}  // namespace weir
