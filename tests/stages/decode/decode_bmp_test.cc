// BMPs of Windows and OS/2, byte by byte.

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/stages/decode/decode_probe.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

using std::string_literals::operator""s;

// Red, green, blue and yellow as a BMP has them: blue first.
std::string Palette(int entry_bytes) {
  std::string text;
  for (const std::string& colour :
       {"\x1e\x1e\xc8"s, "\x1e\xc8\x1e"s, "\xc8\x1e\x1e"s, "\x28\xdc\xdc"s}) {
    text += colour + std::string(entry_bytes - 3, '\0');
  }
  return text;
}

struct Bmp {
  std::uint32_t header = 40;
  int width = 4, height = 2, bits = 8;
  std::uint32_t compression = 0, colours = 4;
  std::string palette = Palette(4);
  std::string pixels = "\3\2\1\0\0\1\2\3"s;  // the bottom row first
  int offset = -1;                           // where it is not right

  std::string bytes() const {
    std::string dib = LittleBytes(header, 4);
    if (header == 12) {
      dib +=
          LittleBytes(width, 2) + LittleBytes(height, 2) + LittleBytes(1, 2) + LittleBytes(bits, 2);
    } else {
      dib += LittleBytes(width, 4) + LittleBytes(height, 4) + LittleBytes(1, 2) +
             LittleBytes(bits, 2) + LittleBytes(compression, 4) + std::string(12, '\0') +
             LittleBytes(colours, 4);
      dib.resize(header, '\0');
    }
    const std::uint32_t at = 14 + header + palette.size();
    return "BM" + std::string(8, '\0') + LittleBytes(offset < 0 ? at : offset, 4) + dib + palette +
           pixels;
  }
};

class DecodeBmpTest : public testing::Test {
 protected:
  // The colours by the first letters of their names, row by row; '-' is black, '?' another one.
  std::string Colours(const Bmp& bmp) {
    const Image image = Must(full_.Map(folder_.Write("a.bmp", bmp.bytes())));
    std::string text;
    for (std::size_t i = 0; i < image.bytes(); i += 3) {
      const std::uint8_t* at = image.pixels.data() + i;
      const std::array<int, 3> colour = {at[0], at[1], at[2]};
      using Rgb = std::array<int, 3>;
      text += colour == Rgb{200, 30, 30}    ? 'r'
              : colour == Rgb{30, 200, 30}  ? 'g'
              : colour == Rgb{30, 30, 200}  ? 'b'
              : colour == Rgb{220, 220, 40} ? 'y'
              : colour == Rgb{0, 0, 0}      ? '-'
                                            : '?';
      if (i / 3 % image.width == static_cast<std::size_t>(image.width) - 1) text += ' ';
    }
    return text;
  }
  std::string Say(const Bmp& bmp) { return full_.Say(folder_.Write("a.bmp", bmp.bytes())); }

  DecodeProbe full_;
  const ScratchFolder folder_;
};

TEST_F(DecodeBmpTest, ReadsPlainPixels) {
  Bmp bmp{.width = 2, .height = 1, .bits = 24, .colours = 0, .palette = ""};
  bmp.pixels = "\x1e\x1e\xc8\x28\xdc\xdc\0\0"s;
  EXPECT_EQ(Colours(bmp), "ry ");
  bmp.pixels.resize(6);
  EXPECT_EQ(Colours(bmp), "ry ") << "the last row may lack its padding";
  bmp.pixels.resize(5);
  EXPECT_EQ(Say(bmp), "is truncated");
  EXPECT_EQ(Colours(Bmp{.bits = 4, .pixels = "\x32\x10\0\0\x01\x23\0\0"s}), "rgby ybgr ");
  EXPECT_EQ(Colours(Bmp{.bits = 2, .pixels = "\xe4\0\0\0\x1b\0\0\0"s}), "rgby ybgr ");
  EXPECT_EQ(Colours(Bmp{.bits = 1, .pixels = "\x50\0\0\0\xa0\0\0\0"s}), "grgr rgrg ");
}

TEST_F(DecodeBmpTest, ReadsTheHeadersOfWindowsAndOfOs2) {
  for (const std::uint32_t header : {16, 40, 52, 56, 64, 108, 124}) {
    Bmp bmp{.header = header};
    if (header == 16) bmp.palette += std::string(252 * 4, '\0');  // it has no count of colours
    EXPECT_EQ(Colours(bmp), "rgby ybgr ") << header;
  }
  const Bmp core{.header = 12, .palette = Palette(3) + std::string(252 * 3, '\0')};
  EXPECT_EQ(Colours(core), "rgby ybgr ");
  EXPECT_EQ(Colours(Bmp{.header = 12, .palette = Palette(3)}), "rgby ybgr ") << "fewer colours";
  EXPECT_EQ(Colours(Bmp{.height = -2}), "ybgr rgby ") << "the top row first";
}

// Some writers leave the offset of the pixels 0, or take the palette for them.
TEST_F(DecodeBmpTest, FindsThePixelsBehindThePaletteWhereTheOffsetCannotBe) {
  for (const int offset : {0, 14, 53, 54}) {
    EXPECT_EQ(Colours(Bmp{.offset = offset}), "rgby ybgr ") << offset;
  }
  const auto file = SharedData("cases/hostile/bmp_offset_zero.bmp");
  if (!file) GTEST_SKIP() << kNoSharedData;
  EXPECT_EQ(full_.Say(*file), "60x40");
}

TEST_F(DecodeBmpTest, ReadsRunLengths) {
  const auto rle8 = [](const std::string& pixels) {
    return Bmp{.height = 3, .compression = 1, .pixels = pixels};
  };
  const std::string row = "\0\4\0\1\2\3"s, end_of_row = "\0\0"s, end = "\0\1"s;
  const std::string row2 = "\2\3\2\1"s;
  EXPECT_EQ(Colours(rle8(row + end_of_row + row2 + end_of_row + "\4\2"s + end)), "bbbb yygg rgby ");
  EXPECT_EQ(Colours(rle8("\0\3\1\2\3\0"s + end)), "rrrr rrrr gbyr ") << "filled to a word";
  EXPECT_EQ(Colours(rle8("\1\1\0\2\1\1\1\3"s + end)), "rrrr rryr grrr ") << "passed over";
  EXPECT_EQ(Colours(rle8("\1\1\0\2\1\2\1\3"s + end)), "rryr rrrr grrr ") << "and a row";
  EXPECT_EQ(Colours(rle8("\x20\1"s + end_of_row + end)), "rrrr rrrr gggg ") << "too long a run";
  EXPECT_EQ(Colours(rle8("\4\1"s + end_of_row + "\4\2"s + end_of_row + "\4\3"s)), "yyyy bbbb gggg ")
      << "without an end";
  EXPECT_EQ(Say(rle8("\4\1"s + end_of_row + "\2\1"s)), "is truncated after row 1 of 3");
  EXPECT_EQ(Say(rle8("\4\1"s + end_of_row + "\0\2\1"s)), "is truncated after row 1 of 3");
  EXPECT_EQ(Say(rle8("\4\1"s)), "is truncated after row 1 of 3") << "behind a whole row";
  EXPECT_EQ(Say(rle8("\4\1\0"s)), "is truncated after row 1 of 3") << "in its end";
  Bmp rle4{.bits = 4, .compression = 2, .colours = 4, .pixels = "\4\x12\0\0\0\3\x12\x30\0\1"s};
  EXPECT_EQ(Colours(rle4), "gbyr gbgb ");
  rle4.bits = 8;
  EXPECT_EQ(Say(rle4), "is corrupt: run lengths of 8-bit pixels");
}

TEST_F(DecodeBmpTest, ShrinksRunLengths) {
  std::string pixels;
  for (int y = 0; y < 200; ++y) pixels += "\xc8"s + static_cast<char>(y / 50) + "\0\0"s;
  const std::string path = folder_.Write(
      "a.bmp", Bmp{.width = 200, .height = 200, .compression = 1, .pixels = pixels}.bytes());
  DecodeProbe small(4, 4);
  const Image image = Must(small.Map(path));
  EXPECT_EQ(image.width, 4);
  for (int y = 0; y < 4; ++y) {
    const int red = image.pixels.data()[std::size_t{12} * y];
    EXPECT_EQ(red, (std::array<int, 4>{220, 30, 30, 200}[y])) << y;
  }
}

TEST_F(DecodeBmpTest, ReadsBitFields) {
  const std::string masks =
      LittleBytes(0xff0000, 4) + LittleBytes(0xff00, 4) + LittleBytes(0xff, 4);
  const std::string pixel = "\x1e\x1e\xc8\x55"s;
  Bmp bmp{.width = 1, .height = 1, .bits = 32, .compression = 3, .palette = masks, .pixels = pixel};
  EXPECT_EQ(Colours(bmp), "r ");
  bmp.compression = 6;
  bmp.palette += LittleBytes(0xff000000, 4);
  EXPECT_EQ(Colours(bmp), "r ") << "alpha is left out";
  bmp.compression = 3;
  bmp.palette = LittleBytes(0xf800, 4) + LittleBytes(0x7e0, 4) + LittleBytes(0x1f, 4);
  bmp.bits = 16;
  bmp.pixels = "\0\xf8\0\0"s;
  EXPECT_EQ(Colours(bmp), "? ");  // red 255
}

TEST_F(DecodeBmpTest, NamesWhatItDoesNotRead) {
  const auto of = [](std::uint32_t header, int bits, std::uint32_t compression) {
    return Bmp{.header = header, .bits = bits, .compression = compression};
  };
  EXPECT_EQ(Say(of(40, 24, 4)), "is a BMP that holds a JPEG, which weir does not read");
  EXPECT_EQ(Say(of(40, 24, 5)), "is a BMP that holds a PNG, which weir does not read");
  EXPECT_EQ(Say(of(64, 1, 3)), "is a BMP of OS/2's Huffman codes, which weir does not read");
  EXPECT_EQ(Say(of(64, 24, 4)), "is a BMP of OS/2's 24-bit run lengths, which weir does not read");
  EXPECT_EQ(Say(of(40, 24, 11)), "is a BMP of compression 11, which weir does not read");
  EXPECT_EQ(Say(of(40, 7, 0)), "is corrupt: 7 bits a pixel");
  EXPECT_EQ(Say(Bmp{.height = 0}), "says that it is 4x0 pixels");
  EXPECT_EQ(Say(Bmp{.width = -4}), "says that it is -4x2 pixels");
}

}  // namespace
}  // namespace weir
