#include "stages/decode/vips/vips_decoder.h"

#include <unistd.h>
#include <vips/vips.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/memory/out_of_memory.h"
#include "stages/decode/picture/picture_rows.h"
#include "stages/decode/picture/pixel_rows.h"
#include "stages/decode/vips/vips_error.h"

namespace weir {
namespace {

constexpr std::size_t kStripRows = 8;  // so many rows are asked for at once
// libvips keeps four strips of a picture that is read in order, and one in each of the four steps
// to us; the C library's heap has as much again in holes between them (glibc 2.41, measured).
constexpr std::size_t kRowsHeld = 2 * (4 * kStripRows + 4 * kStripRows);
constexpr std::size_t kLibraryBytes = 768 << 10;  // objects and zlib

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

thread_local std::string* warning_of_thread = nullptr;

void KeepWarning(const gchar*, GLogLevelFlags, const gchar* message, gpointer) {
  if (warning_of_thread && warning_of_thread->empty()) *warning_of_thread = message;
}

// GLib ends the process where it gets no memory: then with our words and status, not with a trap.
void EndWhereThereIsNoMemory(const char* domain, GLogLevelFlags level, const char* message, void*) {
  if ((level & G_LOG_LEVEL_ERROR) && std::strstr(message, "failed to allocate")) ExitOutOfMemory();
  g_log_default_handler(domain, level, message, nullptr);
}

void Start() {
  g_log_set_default_handler(EndWhereThereIsNoMemory, nullptr);
  if (VIPS_INIT("weir") != 0) {
    throw VipsError("libvips does not start", "Check the installation of libvips.");
  }
#if VIPS_MAJOR_VERSION > 8 || VIPS_MINOR_VERSION >= 13
  vips_block_untrusted_set(TRUE);
#endif
  GOptionContext* options = g_option_context_new(nullptr);
  GOptionGroup* group = g_option_group_new("vips", "", "", nullptr, nullptr);
  vips_add_option_entries(group);
  g_option_context_set_main_group(options, group);
  // The strips of its caches; by itself its tiles have 128 rows.
  const std::string rows = std::to_string(kStripRows);
  std::array<std::string, 4> texts = {"weir", "--vips-tile-height=" + rows,
                                      "--vips-fatstrip-height=" + rows,
                                      "--vips-thinstrip-height=1"};
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  auto count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  char** argv = arguments.data();
  const bool parsed = g_option_context_parse(options, &count, &argv, nullptr);
  g_option_context_free(options);
  if (!parsed) {
    throw Error(ErrorKind::kInternal, "this libvips has no --vips-tile-height",
                "Use libvips 8.12 to 8.16.");
  }
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_cache_set_max_mem(0);
  vips_cache_set_max_files(0);
  g_log_set_handler("VIPS",
                    static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO |
                                                G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_CRITICAL),
                    KeepWarning, nullptr);
}

// In the library's own words: "is corrupt: IDAT: CRC error". A warning says more than the error
// that it led to. The first line of libvips' buffer begins with the name of an operation.
std::string Reason(const std::string& warning) {
  std::string text = TakeVipsErrors();
  text = text.substr(0, text.find('\n'));
  const std::size_t colon = text.find(": ");
  if (colon != std::string::npos && text.find(' ') > colon) text = text.substr(colon + 2);
  if (!warning.empty()) text = warning;
  if (text.empty()) text = "libvips cannot read its pixels";
  for (char& c : text) {
    if (c >= 0 && c < ' ') c = ' ';
  }
  return "is corrupt: " + text.substr(0, 200);
}

// A file's bytes as libvips reads them, to outlive the picture.
class Reading {
 public:
  explicit Reading(const FileBytes& file) : file_(file), source_(vips_source_custom_new()) {
    g_signal_connect(source_.get(), "read", G_CALLBACK(&Reading::Read), this);
    g_signal_connect(source_.get(), "seek", G_CALLBACK(&Reading::Seek), this);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  VipsSource* source() const { return VIPS_SOURCE(source_.get()); }

 private:
  static gint64 Read(VipsSourceCustom*, void* to, gint64 count, Reading* self) {
    const std::size_t read = self->file_.ReadSome(self->at_, to, static_cast<std::size_t>(count));
    self->at_ += read;
    return static_cast<gint64>(read);
  }
  static gint64 Seek(VipsSourceCustom*, gint64 offset, int whence, Reading* self) {
    const auto size = static_cast<gint64>(self->file_.size());
    const auto at = static_cast<gint64>(self->at_);
    const gint64 from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? at : size;
    if (from + offset < 0) return -1;
    self->at_ = static_cast<std::uint64_t>(from + offset);
    return from + offset;
  }

  const FileBytes& file_;
  std::uint64_t at_ = 0;
  const Object<VipsSourceCustom> source_;
};

// Calls a loader by name. The options follow as names and values, and end with a null, as in
// libvips' own vips_pngload_source(). (Its vips_call() makes every operation twice.) Where it
// fails, `image` stays null.
void Call(const VipsLoader& loader, VipsSource* source, VipsImage** image, ...) {
  va_list options;
  va_start(options, image);
  vips_call_split(loader.operation, options, source, image);
  va_end(options);
}

Object<VipsImage> Load(const Reading& reading, const VipsLoader& loader, int scale) {
  VipsImage* image = nullptr;
  if (loader.shrinks) {
    Call(loader, reading.source(), &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
         VIPS_FAIL_ON_ERROR, "shrink", scale, nullptr);
  } else {
    Call(loader, reading.source(), &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
         VIPS_FAIL_ON_ERROR, nullptr);
  }
  return Object<VipsImage>(image);
}

// What ToRgb() and LightToRgb() understand. Floating point has no range that is known.
bool IsReadable(const VipsImage* image) {
  switch (vips_image_get_interpretation(image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_RGB16:
    case VIPS_INTERPRETATION_CMYK:
      break;
    default:
      return false;
  }
  const VipsBandFormat format = vips_image_get_format(image);
  return vips_image_get_coding(image) == VIPS_CODING_NONE &&
         (format == VIPS_FORMAT_UCHAR || format == VIPS_FORMAT_USHORT);
}

template <class T>
void RowToRgb(const VipsImage* image, const T* row, std::uint8_t* rgb) {
  const int width = vips_image_get_width(image), bands = vips_image_get_bands(image);
  if (vips_image_get_interpretation(image) == VIPS_INTERPRETATION_CMYK && bands >= 4) {
    LightToRgb(row, width, bands, true, rgb);
  } else {
    ToRgb(row, width, bands, rgb);
  }
}

// False where libvips fails.
bool ReadRows(VipsImage* image, PictureRows& rows) {
  const int width = vips_image_get_width(image), height = vips_image_get_height(image);
  const Object<VipsRegion> region(vips_region_new(image));
  std::vector<std::uint8_t> rgb(std::size_t{3} * width);
  constexpr auto kRows = static_cast<int>(kStripRows);
  for (int top = 0; top < height; top += kRows) {
    const VipsRect strip = {0, top, width, std::min(kRows, height - top)};
    if (vips_region_prepare(region.get(), &strip) != 0) return false;
    for (int y = top; y < top + strip.height; ++y) {
      const VipsPel* row = VIPS_REGION_ADDR(region.get(), 0, y);
      if (vips_image_get_format(image) == VIPS_FORMAT_USHORT) {
        RowToRgb(image, reinterpret_cast<const std::uint16_t*>(row), rgb.data());
      } else {
        RowToRgb(image, row, rgb.data());
      }
      rows.Add(rgb.data());
    }
  }
  return true;
}

Outcome<Image> Decode(const FileBytes& file, const ImageHeader& header, const WantedSize& stored,
                      const VipsLoader& loader, const std::string& warning) {
  const Shrink whole = ShrinkFor(header.width, header.height, stored);
  const int most = std::min(whole.across, whole.down);
  const int scale = most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
  const Reading reading(file);
  const Object<VipsImage> image = Load(reading, loader, scale);
  if (!image) return Drop{"", Reason(warning)};
  const int width = vips_image_get_width(image.get()), height = vips_image_get_height(image.get());
  if (!IsReadable(image.get())) {
    return Drop{"", std::string("has ") +
                        vips_enum_nick(VIPS_TYPE_BAND_FORMAT, vips_image_get_format(image.get())) +
                        " samples of " +
                        vips_enum_nick(VIPS_TYPE_INTERPRETATION,
                                       vips_image_get_interpretation(image.get())) +
                        "; weir reads grey, RGB and CMYK of 8 and 16 bits"};
  }
  if (width > header.width || height > header.height ||
      VIPS_IMAGE_SIZEOF_LINE(image.get()) > header.row_bytes()) {
    return Drop{"", "is corrupt: its header is ambiguous"};
  }
  PictureRows rows(width, height, ShrinkFor(width, height, stored), header.orientation);
  if (!ReadRows(image.get(), rows)) return Drop{"", Reason(warning)};
  return rows.Take();
}

}  // namespace

void StartVips() {
  static std::once_flag once;
  std::call_once(once, Start);
}

std::string VipsVersion() {
  return std::to_string(vips_version(0)) + "." + std::to_string(vips_version(1)) + "." +
         std::to_string(vips_version(2));
}

Outcome<Image> DecodeWithVips(const FileBytes& file, const ImageHeader& header,
                              const WantedSize& wanted, const VipsLoader& loader) {
  std::string warning;
  warning_of_thread = &warning;
  Outcome<Image> outcome =
      Decode(file, header, AsStored(wanted, header.orientation), loader, warning);
  warning_of_thread = nullptr;
  return outcome;
}

std::size_t VipsDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  const WantedSize stored = AsStored(wanted, header.orientation);
  const Shrink shrink = ShrinkFor(header.width, header.height, stored);
  const std::size_t rows = std::min<std::size_t>(kRowsHeld, 2 * std::size_t(header.height) + 16);
  return kLibraryBytes + header.held_bytes + rows * header.row_bytes() +
         3 * static_cast<std::size_t>(header.width) +
         PictureRows::Bytes(header.width, header.height, shrink);
}

}  // namespace weir
