// TIFFs of all kinds of samples, colours, compressions and layouts: read as they are meant, or
// refused by name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stages/decode/tiff/tiff_layout.h"
#include "tests/stages/decode/decode_probe.h"
#include "tests/stages/decode/hostile_pictures.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/stages/decode/tiff_file.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using Rgb = std::vector<int>;
constexpr int kWidth = 37, kHeight = 150;  // a strip of all rows is a long one

// Rows of samples, packed: `value(x, y, sample)`, for the samples from `first` to before `last`.
using Value = std::function<std::uint32_t(int, int, int)>;
std::string Rows(const Value& value, int bits, int first, int last, int top, int rows,
                 int width = kWidth) {
  std::string bytes;
  for (int y = top; y < top + rows; ++y) {
    std::uint64_t held = 0;
    int count = 0;
    for (int x = 0; x < width; ++x) {
      for (int sample = first; sample < last; ++sample) {
        const std::uint32_t v = value(x, y, sample);
        if (bits == 16) {
          bytes += LittleBytes(v, 2);
          continue;
        }
        held = held << bits | v;
        for (count += bits; count >= 8; count -= 8) {
          bytes += static_cast<char>(held >> (count - 8));
        }
      }
    }
    if (count > 0) bytes += static_cast<char>(held << (8 - count));
  }
  return bytes;
}

class TiffTest : public testing::Test {
 protected:
  Image Read(const TiffFile& tiff) { return Must(full_.Map(folder_.Write("a.tif", tiff.Bytes()))); }
  std::string Say(const TiffFile& tiff) { return full_.Say(folder_.Write("a.tif", tiff.Bytes())); }

  // In one long strip, short strips and tiles, together and in planes, each must give the same.
  void ExpectEachWay(TiffFile tiff, const Value& value,
                     const std::function<Rgb(int, int)>& expected) {
    const int samples = static_cast<int>(tiff.Get(TiffFile::kSamples));
    const int bits = static_cast<int>(tiff.Get(TiffFile::kBits));
    tiff.Set(TiffFile::kCompression, 8);
    for (const bool planar : {false, true}) {
      tiff.Set(TiffFile::kPlanarConfig, planar ? 2 : 1);
      const int planes = planar ? samples : 1, in_plane = planar ? 1 : samples;
      for (const int rows : {kHeight, 64, 0}) {
        SCOPED_TRACE(std::string(planar ? "planes" : "pixels") + " in " +
                     (rows ? "strips of " + std::to_string(rows) : "tiles"));
        TiffFile made = tiff;
        if (rows == 0) {
          made.SetTiles(16, 32);
        } else {
          made.Set(TiffFile::kRowsPerStrip, rows);
        }
        for (int plane = 0; plane < planes; ++plane) {
          const int first = plane * in_plane, last = first + in_plane;
          for (int top = 0; rows > 0 && top < kHeight; top += rows) {
            made.pieces.push_back(
                Deflated(Rows(value, bits, first, last, top, std::min(rows, kHeight - top))));
          }
          for (int top = 0; rows == 0 && top < kHeight; top += 32) {
            for (int left = 0; left < kWidth; left += 16) {
              const Value moved = [&](int x, int y, int s) { return value(x + left, y, s); };
              made.pieces.push_back(Deflated(Rows(moved, bits, first, last, top, 32, 16)));
            }
          }
        }
        ExpectPixels(Read(made), expected);
      }
    }
  }

  void ExpectPixels(const Image& image, const std::function<Rgb(int, int)>& expected) {
    ASSERT_EQ(image.width, kWidth);
    ASSERT_EQ(image.height, kHeight);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const std::uint8_t* at = image.pixels.data() + 3 * (std::size_t(y) * kWidth + x);
        ASSERT_EQ((Rgb{at[0], at[1], at[2]}), expected(x, y)) << "at " << x << ", " << y;
      }
    }
  }

  DecodeProbe full_;
  const ScratchFolder folder_;
};

int Pattern(int x, int y, int sample) { return (x * 7 + y * 3 + sample * 50) % 256; }

TEST_F(TiffTest, ReadsGreyOfAnyDepth) {
  for (const int bits : {1, 2, 4, 8, 12, 16}) {
    SCOPED_TRACE(bits);
    const int most = (1 << bits) - 1;
    TiffFile tiff(kWidth, kHeight);
    tiff.SetColour(1, 1, bits);
    const Value value = [&](int x, int y, int) { return (x * 7919 + y * 104729) & most; };
    const auto grey = [&](int v) {
      return bits < 8 ? v * (255 / most) : bits == 12 ? v >> 4 : v >> (bits - 8);
    };
    ExpectEachWay(tiff, value, [&](int x, int y) { return Rgb(3, grey(value(x, y, 0))); });
    tiff.Set(TiffFile::kPhotometric, 0);  // white is 0
    ExpectEachWay(tiff, value, [&](int x, int y) { return Rgb(3, 255 - grey(value(x, y, 0))); });
  }
}

TEST_F(TiffTest, ReadsColoursOfAnyDepth) {
  for (const int bits : {4, 8, 12, 16}) {
    SCOPED_TRACE(bits);
    TiffFile tiff(kWidth, kHeight);
    tiff.SetColour(2, 3, bits);
    const Value value = [&](int x, int y, int sample) {
      const std::uint32_t v = Pattern(x, y, sample);
      return bits <= 8 ? v >> (8 - bits) : v << (bits - 8) | v >> (16 - bits);
    };
    ExpectEachWay(tiff, value, [&](int x, int y) {
      const auto of = [&](int s) {
        return bits == 4 ? (Pattern(x, y, s) >> 4) * 17 : Pattern(x, y, s);
      };
      return Rgb{of(0), of(1), of(2)};
    });
  }
}

TEST_F(TiffTest, ReadsPalettes) {
  for (const int bits : {1, 2, 4, 8}) {
    SCOPED_TRACE(bits);
    const int colours = 1 << bits;
    TiffFile tiff(kWidth, kHeight);
    tiff.SetColour(3, 1, bits);
    std::vector<std::uint64_t> map;
    for (int i = 0; i < 3 * colours; ++i) map.push_back(257 * (i * 37 % 256));
    tiff.Set(TiffFile::kColorMap, map);
    const Value value = [&](int x, int y, int) { return (x + y) % colours; };
    ExpectEachWay(tiff, value, [&](int x, int y) {
      const auto of = [&](int c) { return (c * colours + (x + y) % colours) * 37 % 256; };
      return Rgb{of(0), of(1), of(2)};
    });
    tiff.Remove(TiffFile::kColorMap);
    tiff.pieces = {std::string(kWidth * kHeight, '\0')};
    EXPECT_THAT(Say(tiff), testing::StartsWith("is corrupt: "));
  }
}

TEST_F(TiffTest, ReadsInks) {
  TiffFile tiff(kWidth, kHeight);
  tiff.SetColour(5, 4);
  ExpectEachWay(tiff, Pattern, [&](int x, int y) {
    const auto light = [&](int s) {
      return ((255 - Pattern(x, y, s)) * (255 - Pattern(x, y, 3)) + 127) / 255;
    };
    return Rgb{light(0), light(1), light(2)};
  });
}

// Alpha is left out; colours that were stored multiplied by it are divided again.
TEST_F(TiffTest, ReadsAlphaOfBothKinds) {
  const Value plain = [](int x, int y, int sample) {
    return sample == 3 ? 85 * (1 + x % 3) : Pattern(x, y, sample);
  };
  const auto colours = [](int x, int y) {
    return Rgb{Pattern(x, y, 0), Pattern(x, y, 1), Pattern(x, y, 2)};
  };
  TiffFile tiff(kWidth, kHeight);
  tiff.SetColour(2, 4);
  for (const int extra : {0, 2}) {
    tiff.Set(TiffFile::kExtraSamples, extra);
    ExpectEachWay(tiff, plain, colours);
  }
  // Multiples of 3, that a third and two thirds of them are whole.
  const auto of_three = [](int x, int y, int s) { return Pattern(x, y, s) / 3 * 3; };
  const Value multiplied = [&](int x, int y, int s) {
    return s == 3 ? 85 * (1 + x % 3) : of_three(x, y, s) * (1 + x % 3) / 3;
  };
  tiff.Set(TiffFile::kExtraSamples, 1);
  ExpectEachWay(tiff, multiplied, [&](int x, int y) {
    return Rgb{of_three(x, y, 0), of_three(x, y, 1), of_three(x, y, 2)};
  });
}

// Y, Cb and Cr are no colours of a screen. (ITU-R BT.601; TIFF 6.0, section 21)
TEST_F(TiffTest, ConvertsYcbcr) {
  // Red, as Y 76, Cb 85, Cr 255: in blocks of `across` x `down` pixels that share Cb and Cr.
  const auto red = [](int across, int down, int rows) {
    std::string bytes;
    const int blocks = ((kWidth + across - 1) / across) * ((rows + down - 1) / down);
    for (int i = 0; i < blocks; ++i) bytes += std::string(across * down, 76) + "\x55\xff";
    return bytes;
  };
  for (const auto& [across, down] : {std::pair{1, 1}, {2, 1}, {2, 2}, {4, 2}, {4, 4}}) {
    for (const int compression : {1, 8}) {
      for (const int rows : {kHeight, 64}) {
        SCOPED_TRACE(std::to_string(across) + "x" + std::to_string(down) + ", compression " +
                     std::to_string(compression) + ", strips of " + std::to_string(rows));
        TiffFile tiff(kWidth, kHeight);
        tiff.SetColour(6, 3);
        tiff.Set(TiffFile::kYcbcrSubsampling, {std::uint64_t(across), std::uint64_t(down)});
        tiff.Set(TiffFile::kCompression, compression);
        tiff.Set(TiffFile::kRowsPerStrip, rows);
        for (int top = 0; top < kHeight; top += rows) {
          const std::string strip = red(across, down, std::min(rows, kHeight - top));
          tiff.pieces.push_back(compression == 1 ? strip : Deflated(strip));
        }
        const Image image = Read(tiff);
        ASSERT_EQ(image.bytes(), std::size_t{3} * kWidth * kHeight);
        for (std::size_t i = 0; i < image.bytes(); ++i) {
          ASSERT_NEAR(image.pixels.data()[i], i % 3 == 0 ? 255 : 0, 2) << "at " << i;
        }
      }
    }
  }
}

TEST_F(TiffTest, ReadsBigTiffInBothOrders) {
  for (const bool big : {false, true}) {
    for (const bool big_endian : {false, true}) {
      TiffFile tiff(kWidth, kHeight);
      tiff.SetColour(2, 3);
      tiff.big = big;
      tiff.big_endian = big_endian;
      ExpectEachWay(tiff, Pattern, [](int x, int y) {
        return Rgb{Pattern(x, y, 0), Pattern(x, y, 1), Pattern(x, y, 2)};
      });
    }
  }
}

TEST_F(TiffTest, ReadsTheUsualCompressions) {
  const Vips photo = MakePhoto(67, 205);
  const Image plain = Must(full_.Map(Save(photo, folder_ / "plain.tif")));
  for (const char* name :
       {"a.tif[compression=lzw]", "b.tif[compression=lzw,predictor=none]",
        "c.tif[compression=deflate]", "d.tif[compression=packbits]",
        "e.tif[compression=deflate,tile,tile_width=32,tile_height=16]", "f.tif[bigtiff]"}) {
    EXPECT_EQ(Compare(Must(full_.Map(Save(photo, folder_ / name))), plain).most, 0) << name;
  }
  for (const char* name : {"g.tif[compression=jpeg,Q=95]", "h.tif[compression=jpeg,Q=95,tile]"}) {
    EXPECT_LT(Compare(Must(full_.Map(Save(photo, folder_ / name))), plain).mean, 8) << name;
  }
}

TEST_F(TiffTest, RefusesByName) {
  const auto say = [&](std::uint16_t tag, std::uint64_t value) {
    TiffFile tiff(4, 4);
    tiff.pieces = {std::string(64, '\0')};
    tiff.Set(tag, value);
    return Say(tiff);
  };
  const std::string instead = ", which weir does not read in a TIFF; save it with LZW or Deflate";
  EXPECT_EQ(say(TiffFile::kCompression, 34925), "is compressed by LZMA" + instead);
  EXPECT_EQ(say(TiffFile::kCompression, 50001), "is compressed by WebP" + instead);
  EXPECT_EQ(say(TiffFile::kCompression, 6), "is compressed by the old JPEG" + instead);
  EXPECT_EQ(say(TiffFile::kCompression, 12345), "has compression 12345, which weir does not know");
  EXPECT_EQ(say(TiffFile::kPhotometric, 8),
            "has CIE L*a*b* colours; weir reads grey, RGB, palettes, CMYK and YCbCr in a TIFF");
  EXPECT_EQ(say(TiffFile::kPhotometric, 77),
            "has photometric 77 colours; weir reads grey, RGB, palettes, CMYK and YCbCr in a TIFF");
  EXPECT_EQ(say(TiffFile::kSampleFormat, 3),
            "has floating-point samples, whose range is not known");
  EXPECT_EQ(say(TiffFile::kSampleFormat, 2), "has signed samples, whose black is not known");
  EXPECT_EQ(say(TiffFile::kBits, 24), "has 24-bit samples");
  EXPECT_EQ(say(TiffFile::kPhotometric, 2), "is corrupt: RGB of 1 channels");
  EXPECT_EQ(say(TiffFile::kPhotometric, 5), "is corrupt: CMYK of 1 channels");
}

// libjpeg keeps all coefficients of a progressive strip, and passes over them again and again.
TEST_F(TiffTest, RefusesProgressiveStrips) {
  TiffFile tiff(48, 32);
  tiff.Set(TiffFile::kCompression, 7);
  tiff.Set(TiffFile::kRowsPerStrip, 16);
  const std::string baseline = FileText(
      Save(MakePicture(48, 16, 1, VIPS_INTERPRETATION_B_W, [](int x, int, int) { return x; }),
           folder_ / "a.jpg"));
  tiff.pieces = {baseline, baseline};
  EXPECT_EQ(Say(tiff), "48x32");
  tiff.pieces[1] = JpegOfScans(48, 16, 2);
  EXPECT_EQ(Say(tiff),
            "has JPEG strips of several scans, as progressive ones are, which weir does not read "
            "in a TIFF");
}

// A header of 8 MB is looked at once, and not once for each of the strips that lie at its place.
TEST_F(TiffTest, LooksForTheHeaderOfAStripNoFurtherThanTheStripIsLong) {
  TiffFile tiff(48, 16);
  tiff.Set(TiffFile::kCompression, 7);
  const std::string baseline = FileText(
      Save(MakePicture(48, 16, 1, VIPS_INTERPRETATION_B_W, [](int x, int, int) { return x; }),
           folder_ / "a.jpg"));
  tiff.pieces = {baseline};
  EXPECT_EQ(Say(tiff), "48x16");
  tiff.Set(TiffFile::kStripByteCounts, 20);
  EXPECT_EQ(Say(tiff), "is truncated in its header");
  tiff.Set(TiffFile::kStripByteCounts, std::uint64_t{0});
  EXPECT_EQ(Say(tiff), "48x16") << "the only strip is as long as the file at most";
  tiff.Set(TiffFile::kHeight, 32);
  tiff.Set(TiffFile::kRowsPerStrip, 16);
  tiff.Set(TiffFile::kStripByteCounts, {0, 0});
  tiff.pieces = {baseline, baseline};
  EXPECT_EQ(Say(tiff), "is corrupt: it does not say how long its strips are");
}

// A few bytes that are read for each of many strips cost as much as a long file.
TEST_F(TiffTest, RefusesStripsThatAreReadAgainAndAgain) {
  TiffFile tiff(16, 4000);
  tiff.Set(TiffFile::kRowsPerStrip, 1);
  tiff.Set(TiffFile::kCompression, 8);
  tiff.repeats = 4000;
  const std::string row = Deflated(std::string(16, '\x55'));
  tiff.pieces = {row};
  EXPECT_EQ(Say(tiff), "16x4000");  // each is no longer than its pixels
  tiff.pieces = {row + std::string(10000, '\0')};
  EXPECT_EQ(Say(tiff), "is corrupt: its strips lie over each other");
}

TEST_F(TiffTest, ReadsTilesThatAreListedAsStrips) {
  TiffFile tiff(32, 16);
  tiff.SetTiles(16, 16);
  tiff.strip_lists = true;
  tiff.pieces = {std::string(256, '\x20'), std::string(256, '\x40')};
  const Image image = Read(tiff);
  EXPECT_EQ(image.pixels.data()[0], 0x20);
  EXPECT_EQ(image.pixels.data()[3 * 31], 0x40);
  tiff.Set(TiffFile::kTileByteCounts, {256, 256});
  EXPECT_EQ(Say(tiff), "is corrupt: it has strips and tiles");
}

TEST_F(TiffTest, RefusesTilesFarLargerThanThePicture) {
  TiffFile tiff(16, 16);
  tiff.pieces = {std::string(256 * 256, '\0')};
  tiff.SetTiles(256, 256);
  EXPECT_EQ(Say(tiff), "16x16");
  tiff.SetTiles(8000, 8000);
  EXPECT_EQ(Say(tiff), "has tiles of 8000x8000 pixels for a picture of 16x16");
  tiff.SetTiles(20000, 16);
  EXPECT_EQ(Say(tiff), "has tiles of 20000x16 pixels");
}

// libvips held such a picture as a whole.
TEST_F(TiffTest, AsksForLittleWhereAlphaIsAssociated) {
  TiffFile tiff(4000, 3000);
  tiff.SetColour(2, 4);
  tiff.Set(TiffFile::kExtraSamples, 1);
  tiff.Set(TiffFile::kRowsPerStrip, 1);
  tiff.Set(TiffFile::kCompression, 8);
  tiff.pieces = {Deflated(std::string(4 * 4000, '\x55'))};
  tiff.repeats = 3000;
  const std::string path = folder_.Write("a.tif", tiff.Bytes());
  DecodeProbe small(224, 224);
  EXPECT_LT(std::get<std::size_t>(small.Admit(path)), 2u << 20);
  EXPECT_EQ(small.Say(path), "308x231");
}

// libtiff keeps a strip of 16 bytes for each line of such a picture.
TEST(TiffLayout, CountsTheLinesOfTheTallestPicture) {
  constexpr int kTallest = 2'000'000'000;
  const TiffLayout layout{
      .width = 1, .height = kTallest, .piece_width = 1, .piece_height = kTallest, .pieces = 1};
  ASSERT_TRUE(layout.is_chopped());
  EXPECT_GE(layout.HeldBytes(), std::size_t{16} * kTallest);
}

}  // namespace
}  // namespace weir
