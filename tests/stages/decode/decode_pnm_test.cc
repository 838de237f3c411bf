#include <gtest/gtest.h>

#include <string>

#include "tests/stages/decode/decode_probe.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using std::string_literals::operator""s;

class DecodePnmTest : public testing::Test {
 protected:
  // "0 128 255 " for greys, "255,0,0 " for colours; or the reason of the Drop.
  std::string Read(const std::string& bytes) {
    const Outcome<Image> outcome = full_.Map(folder_.Write("a.pnm", bytes));
    if (const Drop* drop = std::get_if<Drop>(&outcome)) return drop->reason;
    const Image& image = std::get<Image>(outcome);
    std::string text;
    for (std::size_t i = 0; i < image.bytes(); i += 3) {
      const std::uint8_t* at = image.pixels.data() + i;
      text += std::to_string(at[0]);
      if (at[1] != at[0] || at[2] != at[0]) {
        text += "," + std::to_string(at[1]) + "," + std::to_string(at[2]);
      }
      text += ' ';
    }
    return text;
  }

  DecodeProbe full_;
  const ScratchFolder folder_;
};

TEST_F(DecodePnmTest, ReadsAllSix) {
  EXPECT_EQ(Read("P1\n3 2\n1 0 1\n0 1 0\n"), "0 255 0 255 0 255 ");
  EXPECT_EQ(Read("P1 3 2 101010"), "0 255 0 255 0 255 ");
  EXPECT_EQ(Read("P2\n2 2\n255\n0 10\n200 255"), "0 10 200 255 ");
  EXPECT_EQ(Read("P3 1 2 255 255 0 0 0 0 7"), "255,0,0 0,0,7 ");
  EXPECT_EQ(Read("P4\n10 2\n\xaa\x80\x55\x40"s),
            "0 255 0 255 0 255 0 255 0 255 255 0 255 0 255 0 255 0 255 0 ");
  EXPECT_EQ(Read("P5\n3 1\n255\n\0\x0a\xff"s), "0 10 255 ");
  EXPECT_EQ(Read("P6\n2 1\n255\n\xff\0\0\0\0\7"s), "255,0,0 0,0,7 ");
}

TEST_F(DecodePnmTest, ScalesToTheBrightestSample) {
  EXPECT_EQ(Read("P5 3 1 15\n\0\x08\x0f"s), "0 136 255 ");
  EXPECT_EQ(Read("P5 3 1 65535\n\0\0\x80\0\xff\xff"s), "0 128 255 ");
  EXPECT_EQ(Read("P5 2 1 1000\n\1\xf4\x03\xe8"s), "128 255 ");
  EXPECT_EQ(Read("P6 1 1 256\n\1\0\0\0\0\x80"s), "255,0,128 ");
  EXPECT_EQ(Read("P2 3 1 4095 0 2048 4095"), "0 128 255 ");
  EXPECT_EQ(Read("P5 1 1 15\n\x20"s), "255 ") << "a sample above it is as bright";
}

TEST_F(DecodePnmTest, PassesOverComments) {
  EXPECT_EQ(Read("P5# made by hand\n2 # across\n1\n#down\n255\n\1\2"s), "1 2 ");
  EXPECT_EQ(Read("P5 2#across\n1 255#white\n\1\2"s), "1 2 ") << "a comment ends a number";
  EXPECT_EQ(Read("P2 2 1 255 # grey\n7 # seven\n8"), "7 8 ");
}

TEST_F(DecodePnmTest, ReadsTheFirstOfMany) {
  EXPECT_EQ(Read("P5 1 1 255\n\7P5 1 1 255\n\x08"s), "7 ");
}

TEST_F(DecodePnmTest, SaysWhatIsWrong) {
  EXPECT_EQ(Read("P5\n3 2\n255\n\0\x0a\xff\1"s), "is truncated after row 1 of 2");
  EXPECT_EQ(Read("P2 2 2 255 1 2 3"), "is truncated after row 1 of 2");
  EXPECT_EQ(Read("P2 2 1 255 1 x"),
            "is corrupt: something that is no number stands among its pixels");
  EXPECT_EQ(Read("P2 2 1 99 1 100"), "is corrupt: a sample above its brightest, 99");
  EXPECT_EQ(Read("P1 2 1 1 2"), "is corrupt: a sample above its brightest, 1");
  EXPECT_EQ(Read("P5 3 2 "), "is truncated in its header");
  EXPECT_EQ(Read("P5 3 -2 255\n"), "is corrupt: a PNM without a number in its header");
  EXPECT_EQ(Read("P5 3 2 65536\n"), "is corrupt: its brightest sample is 65536, not 1 to 65535");
  EXPECT_EQ(Read("P5 3 2 0\n"), "is corrupt: its brightest sample is 0, not 1 to 65535");
  EXPECT_EQ(Read("P5 0 2 255\n"), "says that it is 0x2 pixels");
  EXPECT_EQ(Read("P5 99999999999 2 255\n"), "is corrupt: a PNM without a number in its header");
  EXPECT_EQ(Read("P5 #" + std::string(70000, 'x')),
            "is corrupt: a PNM without a number in its header");
}

// As sets of faces have them.
TEST_F(DecodePnmTest, ShrinksLargePictures) {
  const std::string path =
      folder_.Write("face.pgm", "P5\n920 1120\n255\n" + std::string(920 * 1120, '\x64'));
  DecodeProbe small(92, 112);
  const Image image = Must(small.Map(path));
  EXPECT_EQ(image.width, 92);
  EXPECT_EQ(image.height, 112);
  EXPECT_EQ(image.pixels.data()[5000], 0x64);
}

}  // namespace
}  // namespace weir
