// The list of formats: each row is whole, and a picture of each is read by its row alone.

#include "stages/decode/formats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "stages/decode/foreign_kinds.h"
#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/decode_probe.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr int kWidth = 8, kHeight = 6;

// Grey, of 24 bits: libvips writes no BMP without ImageMagick.
std::string BmpBytes() {
  return "BM" + std::string(8, '\0') + LittleBytes(54, 4) + LittleBytes(40, 4) +
         LittleBytes(kWidth, 4) + LittleBytes(kHeight, 4) + LittleBytes(1, 2) + LittleBytes(24, 2) +
         std::string(24, '\0') + std::string(3 * kWidth * kHeight, '\x80');
}

class FormatsTest : public testing::Test {
 protected:
  FormatsTest() { StartVips(); }

  // A picture of each format, by its name in the list.
  std::map<std::string_view, std::string> Pictures() const {
    const Vips photo = MakePhoto(kWidth, kHeight);
    const auto saved = [&](const char* name) { return FileText(Save(photo, folder_ / name)); };
    return {{"JPEG", saved("a.jpg")}, {"PNG", saved("a.png")},  {"BMP", BmpBytes()},
            {"PNM", saved("a.ppm")},  {"TIFF", saved("a.tif")}, {"GIF", saved("a.gif")},
            {"WebP", saved("a.webp")}};
  }

  static FirstBytes FirstOf(const std::string& bytes) {
    FirstBytes first{};
    std::memcpy(first.data(), bytes.data(), std::min(bytes.size(), first.size()));
    return first;
  }

  const ScratchFolder folder_;
};

TEST_F(FormatsTest, EachRowIsWhole) {
  std::set<std::string_view> names, endings(ForeignEndings().begin(), ForeignEndings().end());
  for (const ImageFormat* format : ImageFormats()) {
    EXPECT_FALSE(format->name.empty());
    EXPECT_TRUE(names.insert(format->name).second) << format->name << " is there twice";
    EXPECT_FALSE(format->endings.empty()) << format->name;
    for (const std::string_view ending : format->endings) {
      EXPECT_TRUE(endings.insert(ending).second) << ending << " is that of two formats";
      EXPECT_TRUE(ending.size() > 1 && ending[0] == '.') << ending;
      EXPECT_TRUE(std::ranges::none_of(ending, [](unsigned char c) { return std::isupper(c); }))
          << ending << " is compared with names in small letters";
    }
    EXPECT_TRUE(format->matches && format->read_header && format->decode && format->decoder_bytes)
        << format->name;
    EXPECT_FALSE(format->matches(FirstBytes{})) << format->name;
    if (format->library) {
      EXPECT_NE(format->library().find(' '), std::string::npos) << format->library();
    }
  }
}

TEST_F(FormatsTest, APictureOfEachIsReadByItsRowAlone) {
  const auto pictures = Pictures();
  for (const ImageFormat* format : ImageFormats()) {
    const auto picture = pictures.find(format->name);
    ASSERT_NE(picture, pictures.end()) << "this test has no picture of the format " << format->name;
    const FirstBytes first = FirstOf(picture->second);
    for (const ImageFormat* other : ImageFormats()) {
      EXPECT_EQ(other->matches(first), other == format) << format->name << " by " << other->name;
    }
    EXPECT_TRUE(LooksLikePicture(picture->second)) << format->name;

    Outcome<FileBytes> opened = FileBytes::Open({folder_.Write("picture", picture->second)});
    FileBytes& file = std::get<FileBytes>(opened);
    const Outcome<ImageHeader> read = ReadImageHeader(file);
    ASSERT_TRUE(std::holds_alternative<ImageHeader>(read)) << std::get<Drop>(read).reason;
    const ImageHeader& header = std::get<ImageHeader>(read);
    EXPECT_EQ(header.format, format);
    const Image image = Must(format->decode(file, header, {}));
    EXPECT_EQ(image.width, kWidth) << format->name;
    EXPECT_EQ(image.height, kHeight) << format->name;
    EXPECT_GT(format->decoder_bytes(header, {}), image.bytes()) << format->name;
  }
}

TEST_F(FormatsTest, WhatIsNoPictureIsToldAllOfThem) {
  Outcome<FileBytes> file = FileBytes::Open({folder_.Write("file", "\1\2\3")});
  const Outcome<ImageHeader> read = ReadImageHeader(std::get<FileBytes>(file));
  EXPECT_EQ(std::get<Drop>(read).reason,
            "is not a picture that weir reads (JPEG, PNG, BMP, PNM, TIFF, GIF or WebP)");
  for (const ImageFormat* format : ImageFormats()) {
    EXPECT_NE(std::get<Drop>(read).reason.find(format->name), std::string::npos) << format->name;
    EXPECT_NE(std::string(Decode::kDoc).find(format->name), std::string::npos) << format->name;
  }
}

// Features that are kept are made anew where a library changed that decides on pixels.
TEST_F(FormatsTest, FeaturesDependOnTheLibrariesThatDecode) {
  const std::string text = *DecodeProbe(16, 8).stage().DependsOn(Pass(), 0);
  EXPECT_TRUE(text.starts_with("wanted 8x16 by libvips ")) << text;
  for (const ImageFormat* format : ImageFormats()) {
    if (format->library) {
      EXPECT_NE(text.find(format->library()), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace weir
