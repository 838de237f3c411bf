#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "stages/decode/formats.h"
#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

using std::string_literals::operator""s;

class ImageHeaderTest : public testing::Test {
 protected:
  ImageHeaderTest() { StartVips(); }

  static std::string Say(const std::string& path) {
    Outcome<FileBytes> file = FileBytes::Open({path});
    if (const Drop* drop = std::get_if<Drop>(&file)) return drop->reason;
    const Outcome<ImageHeader> outcome = ReadImageHeader(std::get<FileBytes>(file));
    if (const Drop* drop = std::get_if<Drop>(&outcome)) return drop->reason;
    const ImageHeader& header = std::get<ImageHeader>(outcome);
    return std::string(header.format->name) + " " + std::to_string(header.width) + "x" +
           std::to_string(header.height) + "x" + std::to_string(header.channels) +
           (header.sample_bytes == 2 ? " of 16 bits" : "") + (header.whole ? " whole" : "") +
           (header.orientation == 1 ? "" : " turned " + std::to_string(header.orientation));
  }
  std::string SayBytes(const std::string& bytes) { return Say(folder_.Write("file", bytes)); }

  const ScratchFolder folder_;
};

TEST_F(ImageHeaderTest, SaysWhatAFileIs) {
  const Vips photo = MakePhoto(30, 20);
  EXPECT_EQ(Say(Save(photo, folder_ / "a.jpg")), "JPEG 30x20x3");
  EXPECT_EQ(Say(Save(photo, folder_ / "b.jpg[interlace]")), "JPEG 30x20x3 whole");
  EXPECT_EQ(Say(Save(photo, folder_ / "c.png")), "PNG 30x20x3");
  EXPECT_EQ(Say(Save(photo, folder_ / "d.png[interlace]")), "PNG 30x20x3 whole");
  EXPECT_EQ(Say(Save(photo, folder_ / "e.gif")), "GIF 30x20x3");
  EXPECT_EQ(Say(Save(photo, folder_ / "f.webp")), "WebP 30x20x3");
  EXPECT_EQ(Say(Save(photo, folder_ / "g.webp[lossless]")), "WebP 30x20x3 whole");
  EXPECT_EQ(Say(Save(photo, folder_ / "h.tif")), "TIFF 30x20x3");
  EXPECT_EQ(Say(Save(photo, folder_ / "i.tif[tile,compression=lzw]")), "TIFF 30x20x3");
  EXPECT_EQ(SayBytes("P6 30 20 255\n"), "PNM 30x20x3");
  EXPECT_EQ(SayBytes("P5 30 20 65535\n"), "PNM 30x20x1 of 16 bits");
  const Vips deep = MakePicture<std::uint16_t>(9, 8, 4, VIPS_INTERPRETATION_RGB16,
                                               [](int x, int y, int b) { return x * y * b; });
  EXPECT_EQ(Say(Save(deep, folder_ / "j.png")), "PNG 9x8x4 of 16 bits");
}

TEST_F(ImageHeaderTest, FindsTheOrientationOfEveryKind) {
  Vips photo = MakePhoto(30, 20);
  vips_image_set_int(photo.get(), VIPS_META_ORIENTATION, 6);
  EXPECT_EQ(Say(Save(photo, folder_ / "a.jpg")), "JPEG 30x20x3 turned 6");
  EXPECT_EQ(Say(Save(photo, folder_ / "b.tif")), "TIFF 30x20x3 turned 6");
}

TEST_F(ImageHeaderTest, FindsTheOrientationOfPhotos) {
  for (int i = 1; i <= 8; ++i) {
    const auto file =
        SharedData("hostile/exif_orientation/Landscape_" + std::to_string(i) + ".jpg");
    if (!file) GTEST_SKIP() << kNoSharedData;
    EXPECT_EQ(Say(*file), (i < 5 ? "JPEG 1800x1200x3"s : "JPEG 1200x1800x3"s) +
                              (i == 1 ? "" : " turned " + std::to_string(i)));
  }
}

TEST_F(ImageHeaderTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(Say(folder_ / "missing.jpg"), "cannot be opened: No such file or directory");
  mkdir((folder_ / "folder.jpg").c_str(), 0700);
  EXPECT_EQ(Say(folder_ / "folder.jpg"), "is a directory");
  mkfifo((folder_ / "pipe.jpg").c_str(), 0600);
  EXPECT_EQ(Say(folder_ / "pipe.jpg"), "is not a regular file");
  EXPECT_EQ(SayBytes(""), "is empty");
}

TEST_F(ImageHeaderTest, RefusesWhatIsNoPicture) {
  const std::string other =
      "is not a picture that weir reads (JPEG, PNG, BMP, PNM, TIFF, GIF or WebP)";
  EXPECT_EQ(SayBytes("\1\2\3"), other);
  EXPECT_EQ(SayBytes("BM\1 is the start of something else"), other);
  EXPECT_EQ(SayBytes("BM" + std::string(12, '\0') + "\x28\0\1\0"s),
            "is corrupt: a BMP header of 65576 bytes");
  EXPECT_EQ(SayBytes("\xff\xd8\xff"), "is truncated in its header");
  EXPECT_EQ(SayBytes("\xff\xd8\xff\xd9"), "ends before its picture");
  EXPECT_EQ(SayBytes("GIF89a\0\0"s), "is truncated in its header");
  EXPECT_EQ(SayBytes("II*\0\xff\xff\xff\xff"s), "is truncated in its header");
}

// As Xcode packs them into programs for phones: red and blue swapped, alpha multiplied in.
TEST_F(ImageHeaderTest, NamesApplesOwnPngs) {
  EXPECT_EQ(SayBytes("\x89PNG\r\n\x1a\n\0\0\0\4CgBI\x50\0\x20\2"s + std::string(99, 'x')),
            "is a PNG of Apple's own kind, which weir does not read");
}

TEST_F(ImageHeaderTest, RefusesImpossibleSizes) {
  const std::string ihdr = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s;
  const std::string rest = "\x08\x02\0\0\0crc!\0\0\0\0IDAT"s;
  EXPECT_EQ(SayBytes(ihdr + "\0\0\0\0\0\0\0\1"s + rest), "says that it is 0x1 pixels");
  EXPECT_EQ(SayBytes(ihdr + "\xff\xff\xff\xff\0\0\0\1"s + rest),
            "says that it is 2147483647x1 pixels");
}

TEST_F(ImageHeaderTest, LooksNoFurtherThanItMust) {
  EXPECT_EQ(SayBytes("\xff\xd8\xff\xe0" + std::string(1 << 20, '\0')),
            "is corrupt: a header segment of 0 bytes");
  EXPECT_EQ(SayBytes("\xff\xd8\xff\xe0\0\2"s + std::string(1 << 20, 'a')),
            "is truncated in its header");
  std::string segments = "\xff\xd8";
  for (int i = 0; i < 3000; ++i) segments += "\xff\xe0\0\2"s;
  EXPECT_EQ(SayBytes(segments), "is corrupt: over 2000 header segments");
}

}  // namespace
}  // namespace weir
