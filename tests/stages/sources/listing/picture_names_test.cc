#include "stages/sources/listing/picture_names.h"

#include <gtest/gtest.h>

#include "stages/decode/formats.h"

namespace weir {
namespace {

TEST(IsPictureName, GoesByTheEndingInAnyCase) {
  for (const char* name : {"a.jpg", "a.JPEG", "a.b.Png", "x.tiff", "x.HEIC", "-.webp", "a.ppm"}) {
    EXPECT_TRUE(IsPictureName(name)) << name;
  }
  for (const char* name : {"a", "jpg", ".jpg", "a.jpg.txt", "a.jpgs", "ajpg", "a.svg", "a.pdf"}) {
    EXPECT_FALSE(IsPictureName(name)) << name;
  }
}

TEST(PictureEndings, AreThoseOfTheFormatsAndOfPicturesThatAreDroppedByName) {
  EXPECT_EQ(PictureEndings(),
            ".jpg, .jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif, .heic and .avif");
  for (const ImageFormat* format : ImageFormats()) {
    for (const std::string_view ending : format->endings) {
      EXPECT_TRUE(IsPictureName("a" + std::string(ending))) << ending;
    }
  }
}

TEST(IsClutter, GoesByTheWholeName) {
  for (const char* name : {".DS_Store", "._a.jpg", "THUMBS.DB", "Desktop.ini", "__MACOSX"}) {
    EXPECT_TRUE(IsClutter(name)) << name;
  }
  for (const char* name : {"Thumbs", "my thumbs.db", "macosx", "a.ini", "Icon"}) {
    EXPECT_FALSE(IsClutter(name)) << name;
  }
}

}  // namespace
}  // namespace weir
