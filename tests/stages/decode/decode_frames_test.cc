// First frames of animations: where they lie on their canvas, and what shows where they do not.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/stages/decode/decode_probe.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

using std::string_literals::operator""s;

constexpr char kColours[] =  // red, green, blue, yellow
    "\xc8\x1e\x1e\x1e\xc8\x1e\x1e\x1e\xc8\xdc\xdc\x28";

// Indices of 2 bits, packed without ever growing a code: a clear code (4) in front of every two.
std::string PackedIndices(const std::string& indices) {
  std::string bytes;
  unsigned bits = 0, count = 0;
  const auto put = [&](unsigned code) {
    bits |= code << count;
    for (count += 3; count >= 8; count -= 8, bits >>= 8) bytes += static_cast<char>(bits & 255);
  };
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (i % 2 == 0) put(4);
    put(static_cast<unsigned>(indices[i] - '0'));
  }
  put(5);
  bytes += static_cast<char>(bits);
  return "\2"s + static_cast<char>(bytes.size()) + bytes + "\0"s;
}

struct Gif {
  int width = 4, height = 3;  // the canvas'
  int left = 0, top = 0, frame_width = 4, frame_height = 3;
  std::string indices = "012301230123";  // as the file has them
  int transparent = -1;
  bool interlaced = false, global_palette = true, local_palette = false;

  std::string bytes() const {
    std::string file = "GIF89a" + LittleBytes(width, 2) + LittleBytes(height, 2);
    file += global_palette ? "\x81\3\0"s + std::string(kColours, 12) : "\1\0\0"s;
    if (transparent >= 0) {
      file += "!\xf9\4\1\0\0"s + static_cast<char>(transparent) + "\0"s;
    }
    file += "," + LittleBytes(left, 2) + LittleBytes(top, 2) + LittleBytes(frame_width, 2) +
            LittleBytes(frame_height, 2);
    file += static_cast<char>((local_palette ? 0x81 : 0) | (interlaced ? 0x40 : 0));
    if (local_palette) file += "\1\2\3\4\5\6\7\10\11\12\13\14"s;
    return file + PackedIndices(indices) + ";";
  }
};

class DecodeFramesTest : public testing::Test {
 protected:
  // The colours by the first letters of their names, row by row; '-' is black, '?' another one.
  std::string Colours(const std::string& bytes) {
    const Image image = Must(full_.Map(folder_.Write("file", bytes)));
    std::string text;
    for (std::size_t i = 0; i < image.bytes(); i += 3) {
      const std::string colour(reinterpret_cast<const char*>(image.pixels.data()) + i, 3);
      char letter = colour == "\0\0\0"s ? '-' : '?';
      for (int k = 0; k < 4; ++k) {
        if (colour == std::string(kColours + 3 * k, 3)) letter = "rgby"[k];
      }
      text += letter;
      if (i / 3 % image.width == static_cast<std::size_t>(image.width) - 1) text += ' ';
    }
    return text;
  }
  std::string Say(const std::string& bytes) { return full_.Say(folder_.Write("file", bytes)); }

  DecodeProbe full_;
  const ScratchFolder folder_;
};

// Alpha is left out: a transparent pixel shows the colour of its index.
TEST_F(DecodeFramesTest, ShowsTransparentPixelsOfAGifInTheirColour) {
  EXPECT_EQ(Colours(Gif{}.bytes()), "rgby rgby rgby ");
  EXPECT_EQ(Colours(Gif{.transparent = 1}.bytes()), "rgby rgby rgby ");
}

TEST_F(DecodeFramesTest, PlacesAGifsFrameOnItsCanvas) {
  Gif gif{.left = 1, .top = 1, .frame_width = 2, .frame_height = 1, .indices = "23"};
  EXPECT_EQ(Colours(gif.bytes()), "rrrr rbyr rrrr ");
  gif.transparent = 1;
  EXPECT_EQ(Colours(gif.bytes()), "gggg gbyg gggg ");
  gif.left = 3;  // the canvas reaches as far as the frame
  EXPECT_EQ(Colours(gif.bytes()), "ggggg gggby ggggg ");
}

TEST_F(DecodeFramesTest, ReadsAGifsInterlacedFrame) {
  // Rows 0, 4, 2, 1 and 3 in this order.
  Gif gif{.width = 1, .height = 5, .frame_width = 1, .frame_height = 5, .indices = "01232"};
  gif.interlaced = true;
  EXPECT_EQ(Colours(gif.bytes()), "r y b b g ");
}

TEST_F(DecodeFramesTest, TakesAGifsOwnColoursBeforeTheFiles) {
  const auto first = [this](const Gif& gif) {
    const Image image = Must(full_.Map(folder_.Write("file", gif.bytes())));
    return std::vector<int>(image.pixels.data(), image.pixels.data() + 6);
  };
  EXPECT_EQ(first(Gif{.local_palette = true}), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  // Without any palette an index is a grey.
  EXPECT_EQ(first(Gif{.global_palette = false}), (std::vector<int>{0, 0, 0, 1, 1, 1}));
}

TEST_F(DecodeFramesTest, SaysWhereAGifEnds) {
  EXPECT_EQ(Say(Gif{.indices = "012301"}.bytes()), "is truncated after row 1 of 3");
  EXPECT_EQ(Say(Gif{.indices = "0127"}.bytes()), "is corrupt: an LZW code that cannot be");
  EXPECT_EQ(Say(Gif{.frame_width = 0}.bytes()), "is corrupt: its first frame has no pixels");
  EXPECT_EQ(Say(Gif{.indices = "01230123012301"}.bytes()), "4x3");  // more than it needs
}

// libvips is a peer here. Its writer packs noise with codes of all lengths and full tables.
TEST_F(DecodeFramesTest, ReadsGifsLikeLibvips) {
  unsigned noise = 1;
  const Vips picture = MakePicture(301, 203, 3, VIPS_INTERPRETATION_sRGB, [&](int x, int y, int) {
    noise = noise * 1664525u + 1013904223u;
    return y < 100 ? noise >> 24 : (x / 9 * 40) % 250;
  });
  for (const std::string options : {"", "[interlace]", "[bitdepth=3]", "[dither=0]"}) {
    const std::string path = Save(picture, folder_ / ("a.gif" + options));
    VipsImage* loaded = nullptr;
    ASSERT_EQ(vips_gifload(path.c_str(), &loaded, nullptr), 0);
    const Vips peer(loaded);
    const Vips memory(vips_image_copy_memory(loaded));
    const auto* pixels = static_cast<const std::uint8_t*>(vips_image_get_data(memory.get()));
    const int bands = vips_image_get_bands(loaded);
    const Image image = Must(full_.Map(path));
    ASSERT_EQ(image.bytes(), std::size_t{3} * 301 * 203);
    int different = 0;
    for (std::size_t i = 0; i < image.bytes(); ++i) {
      different += pixels[i / 3 * bands + i % 3] != image.pixels.data()[i];
    }
    EXPECT_EQ(different, 0) << options;
  }
}

TEST_F(DecodeFramesTest, ReadsATransparentGifOfAPainter) {
  const auto file = SharedData("cases/hostile/transparent.gif");
  if (!file) GTEST_SKIP() << kNoSharedData;
  EXPECT_EQ(full_.Say(*file), "100x100");
}

// RFC 9649, section 2.7.1.1: the canvas is the picture. Pillow shows black around the frame.
TEST_F(DecodeFramesTest, PlacesAWebpsFrameOnItsCanvas) {
  const auto of = [](char colour) {
    const int at = 3 * static_cast<int>(std::string("rgby").find(colour));
    return MakePicture(2, 2, 3, VIPS_INTERPRETATION_sRGB, [at](int, int, int band) {
      return static_cast<unsigned char>(kColours[at + band]);
    });
  };
  const std::string red = WebpPicture(FileText(Save(of('r'), folder_ / "a.webp[lossless,strip]")));
  const std::string blue = WebpPicture(FileText(Save(of('b'), folder_ / "b.webp[lossless,strip]")));
  const std::string head = WebpChunk("ANIM", "\xff\xff\xff\xff\0\0"s);
  const auto canvas = [&](unsigned flags, int width, int height, const std::string& rest) {
    return ExtendedWebp(kWebpAnimated | flags, width, height, head + rest);
  };
  const std::string later = WebpFrame(0, 0, 2, 2, blue);
  EXPECT_EQ(Colours(canvas(0, 5, 4, WebpFrame(2, 0, 2, 2, red) + later)),
            "--rr- --rr- ----- ----- ");
  EXPECT_EQ(Colours(canvas(0, 4, 4, WebpFrame(0, 2, 2, 2, red) + later)), "---- ---- rr-- rr-- ");
  EXPECT_EQ(Colours(canvas(0, 2, 2, WebpFrame(0, 0, 2, 2, red) + later)), "rr rr ");
  // Turned by a quarter, the canvas with its frame.
  EXPECT_EQ(Colours(canvas(kWebpExif, 5, 4,
                           WebpFrame(2, 0, 2, 2, red) + later + WebpChunk("EXIF", ExifBlock(6)))),
            "---- ---- --rr --rr ---- ");
  EXPECT_EQ(Say(canvas(0, 5, 4, WebpFrame(4, 0, 2, 2, red))),
            "is corrupt: its first frame lies outside of its canvas");
  EXPECT_EQ(Say(canvas(0, 5, 4, WebpFrame(0, 0, 4, 2, red))),
            "is corrupt: its first frame has two sizes");
}

TEST_F(DecodeFramesTest, ShrinksACanvasThatIsLargerThanItsFrame) {
  const std::string picture =
      WebpPicture(FileText(Save(MakePhoto(200, 160), folder_ / "a.webp[strip]")));
  const std::string path =
      folder_.Write("b.webp", ExtendedWebp(kWebpAnimated, 1000, 800,
                                           WebpChunk("ANIM", std::string(6, '\0')) +
                                               WebpFrame(300, 400, 200, 160, picture)));
  DecodeProbe small(100, 80);
  EXPECT_EQ(small.Say(path), "100x80");
  EXPECT_EQ(full_.Say(path), "1000x800");
}

}  // namespace
}  // namespace weir
