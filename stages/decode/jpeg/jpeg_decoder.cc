#include "stages/decode/jpeg/jpeg_decoder.h"

#include <csetjmp>
#include <cstdarg>
#include <cstdio>
// jpeglib.h needs FILE before it.
#include <jpeglib.h>
// jerror.h needs jpeglib.h before it.
#include <jerror.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "stages/decode/jpeg/jpeg_header.h"
#include "stages/decode/picture/picture_rows.h"
#include "stages/decode/picture/pixel_rows.h"

namespace weir {
namespace {

// A scan passes over every block of its components, also where it says nothing: a hundred bytes a
// scan cost seconds. So the blocks that all scans pass over are counted. A usual progressive photo
// passes over its blocks 5 to 8 times (libjpeg's own script has 10 scans), a script with a scan for
// each coefficient 64 times: let pass for pictures so small that it costs a fraction of a second.
constexpr std::uint64_t kMostPasses = 32;
constexpr std::uint64_t kAlwaysBlocks = 4'000'000;
// At the end of what is read libjpeg decodes the last 3 KB a bit at a time, so there are to be few.
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kLibraryBytes = 512 << 10;  // tables, pools and the buffer of the source
constexpr std::size_t kRowsHeld = 48;             // two row groups of 16, and their context

int ScaleFor(int width, int height, const WantedSize& stored) {
  const Shrink shrink = ShrinkFor(width, height, stored);
  const int most = std::min(shrink.across, shrink.down);
  return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

int Scaled(int side, int scale) { return (side + scale - 1) / scale; }

// What a warning of libjpeg's means for the picture: whether some of it could not be read.
bool IsLoss(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE ||
         code == JWRN_MUST_RESYNC;
}

// libjpeg in the form of steps that fail with a reason. Every step keeps what has a destructor out
// of the reach of its longjmp.
class JpegReader {
 public:
  explicit JpegReader(const FileBytes& file);
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

  bool ReadHeader();
  bool Start(int scale);
  bool ReadRow(JSAMPLE* row);

  const jpeg_decompress_struct& jpeg() const { return jpeg_; }
  std::string reason() const { return reason_.data(); }

 private:
  static JpegReader& Of(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }
  static void OnError(j_common_ptr jpeg);
  static void OnMessage(j_common_ptr jpeg, int level);
  static boolean Fill(j_decompress_ptr jpeg);
  static void Skip(j_decompress_ptr jpeg, long count);
  static void OnProgress(j_common_ptr jpeg);
  [[noreturn]] void Fail(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void FailTruncated();
  void CountScan();

  const FileBytes& file_;
  std::uint64_t at_ = 0;
  bool ended_ = false;  // libjpeg asked for more than the file has
  int scans_ = 0;       // scans whose blocks are counted
  std::uint64_t passed_blocks_ = 0;
  jmp_buf on_failure_;
  std::array<char, JMSG_LENGTH_MAX + 64> reason_{};
  jpeg_error_mgr errors_;
  jpeg_source_mgr source_;
  jpeg_progress_mgr progress_;
  jpeg_decompress_struct jpeg_;
  std::array<JOCTET, kReadBytes> buffer_;
};

JpegReader::JpegReader(const FileBytes& file) : file_(file) {
  jpeg_.err = jpeg_std_error(&errors_);
  errors_.error_exit = OnError;
  errors_.emit_message = OnMessage;
  jpeg_create_decompress(&jpeg_);  // fails only where the library is of another version
  jpeg_.client_data = this;
  source_.next_input_byte = nullptr;
  source_.bytes_in_buffer = 0;
  source_.init_source = [](j_decompress_ptr) {};
  source_.fill_input_buffer = Fill;
  source_.skip_input_data = Skip;
  source_.resync_to_restart = jpeg_resync_to_restart;
  source_.term_source = [](j_decompress_ptr) {};
  jpeg_.src = &source_;
  progress_.progress_monitor = OnProgress;
  jpeg_.progress = &progress_;
}

void JpegReader::Fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(reason_.data(), reason_.size(), format, arguments);
  va_end(arguments);
  longjmp(on_failure_, 1);
}

void JpegReader::FailTruncated() {
  if (jpeg_.output_height == 0 || jpeg_.buffered_image || jpeg_has_multiple_scans(&jpeg_)) {
    Fail("is truncated");
  }
  Fail("is truncated after row %u of %u",
       static_cast<unsigned>(std::uint64_t{jpeg_.output_scanline} * jpeg_.image_height /
                             jpeg_.output_height),
       jpeg_.image_height);
}

void JpegReader::OnError(j_common_ptr jpeg) {
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  Of(jpeg).Fail("is corrupt: %s", text);
}

void JpegReader::OnMessage(j_common_ptr jpeg, int level) {
  if (level >= 0 || !IsLoss(jpeg->err->msg_code)) return;
  if (Of(jpeg).ended_) Of(jpeg).FailTruncated();
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  Of(jpeg).Fail("is corrupt: %s", text);
}

boolean JpegReader::Fill(j_decompress_ptr jpeg) {
  JpegReader& reader = Of(reinterpret_cast<j_common_ptr>(jpeg));
  std::size_t count =
      reader.file_.ReadSome(reader.at_, reader.buffer_.data(), reader.buffer_.size());
  reader.at_ += count;
  if (count == 0) {
    // An end marker lets libjpeg finish a picture that lacks nothing else.
    reader.ended_ = true;
    reader.buffer_[0] = 0xff;
    reader.buffer_[1] = JPEG_EOI;
    count = 2;
  }
  reader.source_.next_input_byte = reader.buffer_.data();
  reader.source_.bytes_in_buffer = count;
  return TRUE;
}

void JpegReader::Skip(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  JpegReader& reader = Of(reinterpret_cast<j_common_ptr>(jpeg));
  const auto skip = static_cast<std::size_t>(count);
  const std::size_t buffered = std::min(skip, reader.source_.bytes_in_buffer);
  reader.source_.next_input_byte += buffered;
  reader.source_.bytes_in_buffer -= buffered;
  reader.at_ += skip - buffered;
}

void JpegReader::OnProgress(j_common_ptr jpeg) {
  JpegReader& reader = Of(jpeg);
  if (reader.jpeg_.input_scan_number != reader.scans_) reader.CountScan();
}

void JpegReader::CountScan() {
  const auto blocks = [](const jpeg_component_info& component) {
    return std::uint64_t{component.width_in_blocks} * component.height_in_blocks;
  };
  scans_ = jpeg_.input_scan_number;
  for (int i = 0; i < jpeg_.comps_in_scan; ++i) passed_blocks_ += blocks(*jpeg_.cur_comp_info[i]);
  std::uint64_t all = 0;
  for (int i = 0; i < jpeg_.num_components; ++i) all += blocks(jpeg_.comp_info[i]);
  if (passed_blocks_ > std::max(kMostPasses * all, kAlwaysBlocks)) {
    Fail("has too many scans: by scan %d they pass over its pixels more than %d times", scans_,
         static_cast<int>(kMostPasses));
  }
}

bool JpegReader::ReadHeader() {
  if (setjmp(on_failure_)) return false;
  jpeg_read_header(&jpeg_, TRUE);
  return true;
}

bool JpegReader::Start(int scale) {
  if (setjmp(on_failure_)) return false;
  jpeg_.scale_num = 1;
  jpeg_.scale_denom = static_cast<unsigned>(scale);
  jpeg_.out_color_space = jpeg_.num_components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&jpeg_);
  if (ended_ && jpeg_has_multiple_scans(&jpeg_)) FailTruncated();
  return true;
}

bool JpegReader::ReadRow(JSAMPLE* row) {
  if (setjmp(on_failure_)) return false;
  jpeg_read_scanlines(&jpeg_, &row, 1);
  // Behind the end of its data an arithmetic decoder goes on with zeros, without a word.
  if (ended_ && jpeg_.arith_code) FailTruncated();
  return true;
}

// The cost was worked out from our own reading of the header: libjpeg's must be the same.
bool Agrees(const jpeg_decompress_struct& jpeg, const ImageHeader& header) {
  return jpeg.image_width == static_cast<unsigned>(header.width) &&
         jpeg.image_height == static_cast<unsigned>(header.height) &&
         jpeg.num_components == header.channels &&
         (header.whole || !(jpeg.progressive_mode || jpeg.comps_in_scan < jpeg.num_components));
}

Outcome<Image> DecodeJpeg(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  const auto reader = std::make_unique<JpegReader>(file);
  if (!reader->ReadHeader()) return Drop{"", reader->reason()};
  if (!Agrees(reader->jpeg(), header)) return Drop{"", "is corrupt: its header is ambiguous"};
  const WantedSize stored = AsStored(wanted, header.orientation);
  if (!reader->Start(ScaleFor(header.width, header.height, stored))) {
    return Drop{"", reader->reason()};
  }
  const jpeg_decompress_struct& jpeg = reader->jpeg();
  const int width = static_cast<int>(jpeg.output_width);
  const int height = static_cast<int>(jpeg.output_height);
  PictureRows rows(width, height, ShrinkFor(width, height, stored), header.orientation);
  std::vector<JSAMPLE> row(std::size_t{jpeg.output_width} * jpeg.output_components);
  const bool inks = jpeg.output_components == 4;
  std::vector<std::uint8_t> rgb(inks ? std::size_t{3} * width : 0);
  for (int y = 0; y < height; ++y) {
    std::uint8_t* const in_place = inks ? nullptr : rows.NextInPlace();
    std::uint8_t* const decoded = in_place ? in_place : row.data();
    if (!reader->ReadRow(decoded)) return Drop{"", reader->reason()};
    // All write light for ink, as Adobe does, whether or not they leave its marker: Pillow, libvips
    // and OpenCV take it so.
    if (inks) LightToRgb(decoded, width, 4, false, rgb.data());
    rows.Add(inks ? rgb.data() : decoded);
  }
  return rows.Take();
}

std::size_t JpegDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  const WantedSize stored = AsStored(wanted, header.orientation);
  const int scale = ScaleFor(header.width, header.height, stored);
  const int width = Scaled(header.width, scale), height = Scaled(header.height, scale);
  return kLibraryBytes + header.held_bytes +
         kRowsHeld * static_cast<std::size_t>(width + 64) * (header.channels + 3) +
         PictureRows::Bytes(width, height, ShrinkFor(width, height, stored));
}

constexpr std::string_view kEndings[] = {".jpg", ".jpeg"};

}  // namespace

constinit const ImageFormat kJpegFormat = {
    .name = "JPEG",
    .endings = kEndings,
    .matches = [](const FirstBytes& bytes) { return HoldsAt(bytes, 0, "\xff\xd8\xff"); },
    .read_header = &ParseJpegHeader,
    .decode = &DecodeJpeg,
    .decoder_bytes = &JpegDecoderBytes,
};

}  // namespace weir
