#include "stages/decode/foreign_kinds.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace weir {
namespace {

constexpr std::size_t kLookedAt = 512;

struct Kind {
  std::size_t at;
  std::string_view magic;  // '?' stands for any byte
  std::string_view what;
};

template <std::size_t size>
constexpr std::string_view Bytes(const char (&text)[size]) {
  return {text, size - 1};
}

constexpr std::string_view kHeif = "HEIF (HEIC or AVIF)", kJpegXl = "JPEG XL",
                           kJpeg2000 = "JPEG 2000", kVideo = "a video (MP4 or QuickTime)",
                           kZip = "a ZIP archive", kTar = "a tar archive", kPfm = "PFM",
                           kRaw = "a camera's raw photo", kIcon = "an icon (ICO or CUR)",
                           kHdr = "Radiance HDR", kEps = "PostScript", kMpeg = "a video (MPEG)";

// The first that matches counts. Several brands of ISO's media files are pictures.
constexpr Kind kKinds[] = {
    {4, "ftyphei", kHeif},
    {4, "ftyphev", kHeif},
    {4, "ftypmif1", kHeif},
    {4, "ftypmsf1", kHeif},
    {4, "ftypavi", kHeif},
    {4, "ftypcrx", kRaw},
    {4, "ftyp", kVideo},
    {4, "moov", kVideo},
    {4, "mdat", kVideo},
    {0, Bytes("\0\0\0\x0cJXL "), kJpegXl},
    {0, Bytes("\xff\x0a"), kJpegXl},
    {0, Bytes("\0\0\0\x0cjP  "), kJpeg2000},
    {0, Bytes("\xff\x4f\xff\x51"), kJpeg2000},
    {0, Bytes("II\xbc"), "JPEG XR"},
    {0, "8BPS", "a picture of Photoshop (PSD)"},
    {0, "gimp xcf", "a picture of GIMP (XCF)"},
    {0, Bytes("\0\0\1\0"), kIcon},
    {0, Bytes("\0\0\2\0"), kIcon},
    {0, "icns", "an icon (ICNS)"},
    {0, Bytes("\x76\x2f\x31\x01"), "OpenEXR"},
    {0, "#?RADIANCE", kHdr},
    {0, "#?RGBE", kHdr},
    {0, "DDS ", "a texture (DDS)"},
    {0, "qoif", "QOI"},
    {0, "farbfeld", "farbfeld"},
    {0, "FLIF", "FLIF"},
    {0, Bytes("BPG\xfb"), "BPG"},
    {0, Bytes("\x8aMNG"), "MNG"},
    {0, Bytes("\x59\xa6\x6a\x95"), "a Sun raster picture"},
    {0, Bytes("\x0a\5\1"), "PCX"},
    {0, "P7\n", "PAM"},
    {0, "PF\n", kPfm},
    {0, "Pf\n", kPfm},
    {0, "BA????????????BM", "an array of OS/2 bitmaps"},
    {0, "SIMPLE  =", "FITS"},
    {128, "DICM", "DICOM"},
    {0, "AT&TFORM", "DjVu"},
    {0, "FUJIFILMCCD-RAW", kRaw},
    {0, "IIRO", kRaw},
    {0, "IIRS", kRaw},
    {0, Bytes("IIU\0"), kRaw},
    {0, "%PDF-", "PDF"},
    {0, "%!PS", kEps},
    {0, Bytes("\xc5\xd0\xd3\xc6"), kEps},
    {0, "RIFF????AVI ", "a video (AVI)"},
    {0, "RIFF????WAVE", "sound (WAV)"},
    {0, Bytes("\x1a\x45\xdf\xa3"), "a video (Matroska or WebM)"},
    {0, Bytes("\0\0\1\xba"), kMpeg},
    {0, Bytes("\0\0\1\xb3"), kMpeg},
    {0, Bytes("PK\3\4"), kZip},
    {0, Bytes("PK\5\6"), kZip},
    {0, Bytes("\x1f\x8b"), "gzip"},
    {0, "BZh", "bzip2"},
    {0,
     Bytes("\xfd"
           "7zXZ\0"),
     "xz"},
    {0, Bytes("\x28\xb5\x2f\xfd"), "Zstandard"},
    {0, Bytes("7z\xbc\xaf\x27\x1c"), "a 7-Zip archive"},
    {0, Bytes("Rar!\x1a\7"), "a RAR archive"},
    {257, "ustar", kTar},
    {0, Bytes("\x93NUMPY"), "an array of NumPy"},
    {0, Bytes("\x89HDF\r\n\x1a\n"), "HDF5"},
    {0, Bytes("\0\5\x16\7"), "what macOS keeps beside a file (AppleDouble)"},
    {0, Bytes("\xd0\xcf\x11\xe0"), "a document of Windows (as Thumbs.db is)"},
    {0,
     Bytes("\x7f"
           "ELF"),
     "a program"},
};

constexpr std::string_view kEndings[] = {".heif", ".heic", ".avif"};

bool Matches(const Kind& kind, std::string_view bytes) {
  if (bytes.size() < kind.at + kind.magic.size()) return false;
  return std::equal(kind.magic.begin(), kind.magic.end(), bytes.begin() + kind.at,
                    [](char wanted, char found) { return wanted == '?' || wanted == found; });
}

// Text in small letters, without a byte order mark and blanks in front. Empty where it is no text.
std::string AsText(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin == bytes.npos) return "";
  std::string text(bytes.substr(begin));
  for (char& c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < ' ' && !std::isspace(code)) return "";
    c = static_cast<char>(std::tolower(code));
  }
  return text;
}

std::string_view KindOfText(std::string_view text) {
  const bool is_markup = text.starts_with("<");
  if (is_markup && text.find("<svg") != text.npos) return "SVG";
  if (text.starts_with("<!doctype svg")) return "SVG";
  if (is_markup && (text.find("<html") != text.npos || text.find("<!doctype html") != text.npos)) {
    return "a web page (HTML)";
  }
  if (text.starts_with("<head") || text.starts_with("<body") || text.starts_with("<script")) {
    return "a web page (HTML)";
  }
  if (is_markup) return "XML";
  if (text.starts_with("version https://git-lfs.github.com/spec/")) {
    return "a pointer of Git LFS (`git lfs pull` fetches the picture)";
  }
  if (text.starts_with("{") || text.starts_with("[")) return "JSON";
  return "text";
}

}  // namespace

std::span<const std::string_view> ForeignEndings() { return kEndings; }

std::optional<std::string> NameForeignKind(const FileBytes& file) {
  std::array<char, kLookedAt> start;
  const std::string_view bytes(start.data(), file.ReadSome(0, start.data(), start.size()));
  const auto say = [](std::string_view what) {
    return "is " + std::string(what) + ", which weir does not read";
  };
  for (const Kind& kind : kKinds) {
    if (Matches(kind, bytes)) return say(kind.what);
  }
  if (bytes.size() >= 12 && bytes.find_first_not_of('\0') == bytes.npos) {
    return "begins with zeros in place of a picture";
  }
  const std::string text = AsText(bytes);
  if (!text.empty()) return say(KindOfText(text));
  return std::nullopt;
}

}  // namespace weir
