#include "stages/decode/picture/orientation.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "stages/decode/formats.h"
#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using std::string_literals::operator""s;

std::optional<int> InExif(const std::string& block) {
  return OrientationInExif([&](std::uint64_t offset, void* to, std::size_t count) {
    if (offset + count > block.size()) return false;
    std::memcpy(to, block.data() + offset, count);
    return true;
  });
}

std::string RawProfile(const std::string& block) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\nexif\n      " + std::to_string(block.size()) + "\n";
  for (std::size_t i = 0; i < block.size(); ++i) {
    text += kDigits[block[i] >> 4 & 15];
    text += kDigits[block[i] & 15];
    if (i % 36 == 35) text += '\n';
  }
  return text + "\n";
}

TEST(OrientationInExif, ReadsEitherByteOrderWithAPrefixAndWithout) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {true, false}) {
      const std::string block = ExifBlock(orientation, little);
      EXPECT_EQ(InExif(block), orientation);
      EXPECT_EQ(InExif("Exif\0\0"s + block), orientation);
      EXPECT_EQ(InExif("Exif\0\0Exif\0\0"s + block), orientation);
    }
  }
}

TEST(OrientationInExif, TakesWhatIsNoOrientationForUpright) {
  EXPECT_EQ(InExif(ExifBlock(0)), 1);
  EXPECT_EQ(InExif(ExifBlock(9)), 1);
  EXPECT_EQ(InExif("II*\0\x08\0\0\0\0\0\0\0\0\0"s), std::nullopt);
}

TEST(OrientationInExif, StaysInTheBlockThatIsCutOff) {
  const std::string block = ExifBlock(6);
  for (std::size_t size = 0; size < 22; ++size) {
    EXPECT_EQ(InExif(block.substr(0, size)), std::nullopt) << size;
  }
}

TEST(OrientationInXmp, FindsAttributesAndElements) {
  EXPECT_EQ(OrientationInXmp(XmpPacket(6)), 6);
  EXPECT_EQ(OrientationInXmp("<tiff:Orientation>8</tiff:Orientation>"), 8);
  EXPECT_EQ(OrientationInXmp("tiff:Orientation is a word, tiff:Orientation='3' is one"), 3);
  EXPECT_EQ(OrientationInXmp("tiff:Orientation=\""), std::nullopt);
  EXPECT_EQ(OrientationInXmp(""), std::nullopt);
}

TEST(OrientationInRawProfile, ReadsImageMagicksText) {
  EXPECT_EQ(OrientationInRawProfile(RawProfile(ExifBlock(6))), 6);
  EXPECT_EQ(OrientationInRawProfile(RawProfile("Exif\0\0"s + ExifBlock(5, false))), 5);
  EXPECT_EQ(OrientationInRawProfile("\nexif\n 3\nno digits"), std::nullopt);
  EXPECT_EQ(OrientationInRawProfile("exif"), std::nullopt);
}

class OrientationTest : public testing::Test {
 protected:
  OrientationTest() { StartVips(); }

  int Of(const std::string& bytes) const {
    Outcome<FileBytes> file = FileBytes::Open({folder_.Write("file", bytes)});
    const Outcome<ImageHeader> header = ReadImageHeader(std::get<FileBytes>(file));
    if (const Drop* drop = std::get_if<Drop>(&header)) {
      ADD_FAILURE() << drop->reason;
      return 0;
    }
    return std::get<ImageHeader>(header).orientation;
  }
  std::string Encoded(const std::string& ending) const {
    return FileText(Save(MakePhoto(30, 20), folder_ / ("a" + ending)));
  }

  const ScratchFolder folder_;
};

// RFC 9649, section 2.7: metadata stand behind the picture, and the flags say which there are.
TEST_F(OrientationTest, IsFoundBehindThePictureOfAWebp) {
  const std::string exif = WebpChunk("EXIF", ExifBlock(6));
  for (const std::string ending : {".webp[strip]", ".webp[lossless,strip]"}) {
    const std::string picture = WebpPicture(Encoded(ending));
    const std::string profile = WebpChunk("ICCP", "a profile of odd length");
    EXPECT_EQ(Of(ExtendedWebp(kWebpExif, 30, 20, picture + exif)), 6) << ending;
    EXPECT_EQ(Of(ExtendedWebp(kWebpExif, 30, 20, exif + picture)), 6) << ending;
    EXPECT_EQ(Of(ExtendedWebp(kWebpExif | 32, 30, 20, profile + picture + exif)), 6) << ending;
    EXPECT_EQ(Of(ExtendedWebp(kWebpExif, 30, 20,
                              picture + WebpChunk("odd.", "x") +
                                  WebpChunk("EXIF", "Exif\0\0"s + ExifBlock(8, false)))),
              8)
        << ending;
    const std::string frame = WebpFrame(0, 0, 30, 20, picture);
    const std::string animation = WebpChunk("ANIM", std::string(6, '\0')) + frame + frame + frame;
    EXPECT_EQ(Of(ExtendedWebp(kWebpAnimated | kWebpExif, 30, 20, animation + exif)), 6) << ending;
    EXPECT_EQ(Of(ExtendedWebp(0, 30, 20, picture + exif)), 1) << "the flags say there is none";
  }
}

TEST_F(OrientationTest, IsFoundBehindThePictureOfAPng) {
  const std::string png = Encoded(".png[strip]");
  EXPECT_EQ(Of(png), 1);
  for (const bool behind : {false, true}) {
    const auto with = [&](const std::string& tag, const std::string& data) {
      return Of(WithPngChunks(png, PngChunk(tag, data), behind));
    };
    EXPECT_EQ(with("eXIf", ExifBlock(6)), 6) << behind;
    EXPECT_EQ(with("eXIf", "Exif\0\0"s + ExifBlock(7, false)), 7) << behind;
    const std::string keyword = "Raw profile type exif\0"s, profile = RawProfile(ExifBlock(8));
    EXPECT_EQ(with("tEXt", keyword + profile), 8) << behind;
    const std::string packed = Deflated(profile);
    EXPECT_EQ(with("zTXt", keyword + "\0"s + packed), 8) << behind;
    EXPECT_EQ(with("zTXt", keyword + "\0"s + packed.substr(0, 4)), 1) << behind;
    EXPECT_EQ(with("iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + XmpPacket(3)), 3) << behind;
    EXPECT_EQ(with("iTXt", "XML:com.adobe.xmp\0"s), 1) << behind;
    EXPECT_EQ(with("tEXt", "no keyword's end"), 1) << behind;
  }
}

// The pixels of a large PNG are many chunks, most of one length.
TEST_F(OrientationTest, IsFoundBehindThousandsOfChunks) {
  const std::string png = Encoded(".png[strip]"), exif = PngChunk("eXIf", ExifBlock(6));
  for (const int count : {1, 2, 3, 4, 5, 6, 7, 8, 1000, 1023, 1024, 20000}) {
    std::string chunks;
    for (int i = 0; i < count; ++i) chunks += PngChunk("IDAT", "of one length");
    EXPECT_EQ(Of(WithPngChunks(png, chunks + exif, true)), 6) << count;
    EXPECT_EQ(Of(WithPngChunks(png, chunks + PngChunk("IDAT", "the rest") + exif, true)), 6);
    EXPECT_EQ(Of(WithPngChunks(png, chunks, true)), 1) << count;
  }
}

// A file of many small pieces is not looked through to its end.
TEST_F(OrientationTest, IsNotLookedForWithoutAnEnd) {
  std::string chunks;
  for (int i = 0; i < 20000; ++i) chunks += PngChunk("IDAT", std::string(i % 2, 'x'));
  const std::string png = Encoded(".png[strip]");
  EXPECT_EQ(Of(WithPngChunks(png, chunks + PngChunk("eXIf", ExifBlock(6)), true)), 1);
}

// As Pillow's exif_transpose() has it.
TEST_F(OrientationTest, IsExifsBeforeXmps) {
  const auto segment = [](const std::string& content) {
    return "\xff\xe1"s + BigBytes(content.size() + 2, 2) + content;
  };
  const std::string xmp = "http://ns.adobe.com/xap/1.0/\0"s, blanks(20000, ' ');
  const std::string jpeg = Encoded(".jpg[strip]");
  const auto with = [&](const std::string& segments) {
    return Of(jpeg.substr(0, 2) + segments + jpeg.substr(2));
  };
  EXPECT_EQ(with(segment(xmp + blanks + XmpPacket(6))), 6);
  EXPECT_EQ(with(segment(xmp + XmpPacket(6)) + segment("Exif\0\0"s + ExifBlock(1))), 1);
  EXPECT_EQ(with(segment("Exif\0\0"s + ExifBlock(3)) + segment(xmp + XmpPacket(6))), 3);
  EXPECT_EQ(with(segment("Exif\0\0"s) + segment(xmp + XmpPacket(6))), 6);
  const std::string picture = WebpPicture(Encoded(".webp[strip]"));
  EXPECT_EQ(Of(ExtendedWebp(kWebpXmp, 30, 20, picture + WebpChunk("XMP ", XmpPacket(6)))), 6);
  EXPECT_EQ(
      Of(ExtendedWebp(kWebpXmp | kWebpExif, 30, 20,
                      picture + WebpChunk("XMP ", XmpPacket(6)) + WebpChunk("EXIF", ExifBlock(8)))),
      8);
}

// A window of the file ends at every place in the word that is looked for.
TEST_F(OrientationTest, IsFoundAcrossTheEdgesOfTheWindows) {
  const std::string picture = WebpPicture(Encoded(".webp[strip]"));
  for (int blanks = 8100; blanks < 8200; ++blanks) {
    const std::string packet = std::string(blanks, ' ') + XmpPacket(6);
    ASSERT_EQ(Of(ExtendedWebp(kWebpXmp, 30, 20, picture + WebpChunk("XMP ", packet))), 6) << blanks;
  }
}

}  // namespace
}  // namespace weir
