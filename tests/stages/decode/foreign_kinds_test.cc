#include "stages/decode/foreign_kinds.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "stages/decode/formats.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using std::string_literals::operator""s;

class ForeignKindsTest : public testing::Test {
 protected:
  std::string Say(const std::string& bytes) const {
    Outcome<FileBytes> file = FileBytes::Open({folder_.Write("file", bytes)});
    if (const Drop* drop = std::get_if<Drop>(&file)) return drop->reason;
    const Outcome<ImageHeader> header = ReadImageHeader(std::get<FileBytes>(file));
    const Drop* drop = std::get_if<Drop>(&header);
    return drop ? drop->reason : "a picture";
  }

  const ScratchFolder folder_;
};

TEST_F(ForeignKindsTest, NamesWhatAFileIs) {
  const std::pair<std::string, std::string> kinds[] = {
      {"\0\0\0\x24"
       "ftypheic\0\0\0\0mif1heic"s,
       "HEIF (HEIC or AVIF)"},
      {"\0\0\0\x18"
       "ftypheix\0\0\0\0mif1"s,
       "HEIF (HEIC or AVIF)"},
      {"\0\0\0\x20"
       "ftypavif\0\0\0\0avifmif1"s,
       "HEIF (HEIC or AVIF)"},
      {"\0\0\0\x20"
       "ftypmif1\0\0\0\0avif"s,
       "HEIF (HEIC or AVIF)"},
      {"\0\0\0\x20"
       "ftypisom\0\0\2\0isomiso2"s,
       "a video (MP4 or QuickTime)"},
      {"\0\0\0\x18"
       "ftypcrx \0\0\0\1crx isom"s,
       "a camera's raw photo"},
      {"\0\0\0\x0cJXL \r\n\x87\n"s, "JPEG XL"},
      {"\xff\x0a\x10\x20"s, "JPEG XL"},
      {"\0\0\0\x0cjP  \r\n\x87\n"s, "JPEG 2000"},
      {"\xff\x4f\xff\x51\0\x2f"s, "JPEG 2000"},
      {"8BPS\0\1\0\0"s, "a picture of Photoshop (PSD)"},
      {"\0\0\1\0\1\0\x10\x10"s, "an icon (ICO or CUR)"},
      {"<svg xmlns=\"http://www.w3.org/2000/svg\">", "SVG"},
      {"<?xml version=\"1.0\"?>\n<!-- drawn -->\n<svg>", "SVG"},
      {"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"},
      {"<html>not a picture</html>", "a web page (HTML)"},
      {"\xef\xbb\xbf\r\n  <!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">",
       "a web page (HTML)"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML"},
      {"{\"message\": \"not found\"}", "JSON"},
      {"404: Not Found", "text"},
      {"BM is the start of a sentence", "text"},
      {"P5 is the start of one, too", "text"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 14\n",
       "a pointer of Git LFS (`git lfs pull` fetches the picture)"},
      {"\x1f\x8b\x08\0\0\0\0\0"s, "gzip"},
      {"PK\3\4\x14\0\0\0"s, "a ZIP archive"},
      {std::string(257, '\1') + "ustar\0"s, "a tar archive"},
      {std::string(128, '\0') + "DICM", "DICOM"},
      {"RIFF\0\0\0\0AVI LIST"s, "a video (AVI)"},
      {"P7\nWIDTH 4\n", "PAM"},
      {"Pf\n4 4\n-1.0\n", "PFM"},
      {"\0\5\x16\7\0\2\0\0"s, "what macOS keeps beside a file (AppleDouble)"},
  };
  for (const auto& [bytes, name] : kinds) {
    EXPECT_EQ(Say(bytes), "is " + name + ", which weir does not read");
  }
}

TEST_F(ForeignKindsTest, SaysWhereThereIsNothing) {
  EXPECT_EQ(Say(""), "is empty");
  EXPECT_EQ(Say(std::string(4096, '\0')), "begins with zeros in place of a picture");
  EXPECT_EQ(Say("\1\2\3\4"),
            "is not a picture that weir reads (JPEG, PNG, BMP, PNM, TIFF, GIF or WebP)");
}

}  // namespace
}  // namespace weir
