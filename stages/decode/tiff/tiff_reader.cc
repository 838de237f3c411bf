#include "stages/decode/tiff/tiff_reader.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace weir {

namespace {

thread_local std::string* error_of_thread = nullptr;

void KeepError(thandle_t, const char*, const char* format, va_list arguments) {
  if (!error_of_thread || !error_of_thread->empty()) return;
  std::array<char, 200> text;
  std::vsnprintf(text.data(), text.size(), format, arguments);
  *error_of_thread = text.data();
  for (char& c : *error_of_thread) {
    if (c >= 0 && c < ' ') c = ' ';
  }
}

// Beside it libtiff calls another one, which writes to stderr, or is libvips'.
void SilenceLibtiff() {
  TIFFSetErrorHandlerExt(KeepError);
  TIFFSetWarningHandlerExt(nullptr);
  TIFFSetErrorHandler(nullptr);
  TIFFSetWarningHandler(nullptr);
}

}  // namespace

TiffError::TiffError() {
  static std::once_flag once;
  std::call_once(once, SilenceLibtiff);
  error_of_thread = &text_;
}

TiffError::~TiffError() { error_of_thread = nullptr; }

std::string TiffError::Reason() const {
  return "is corrupt: " + (text_.empty() ? "libtiff cannot read its pixels" : text_);
}

TiffReader::TiffReader(const FileBytes& file, bool chopped) : file_(file) {
  const auto write = [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; };
  const auto close = [](thandle_t) { return 0; };
  const auto map = [](thandle_t, void**, toff_t*) { return 0; };
  const auto unmap = [](thandle_t, void*, toff_t) {};
  tiff_ =
      TIFFClientOpen("", chopped ? "rmC" : "rmc", this, Read, write, Seek, close, Size, map, unmap);
}

TiffReader::~TiffReader() {
  if (tiff_) TIFFClose(tiff_);
}

tmsize_t TiffReader::Read(thandle_t handle, void* to, tmsize_t count) {
  TiffReader& reader = Of(handle);
  const std::size_t read =
      reader.file_.ReadSome(reader.at_, to, static_cast<std::size_t>(std::max<tmsize_t>(count, 0)));
  reader.at_ += read;
  return static_cast<tmsize_t>(read);
}

toff_t TiffReader::Seek(thandle_t handle, toff_t offset, int whence) {
  TiffReader& reader = Of(handle);
  const std::uint64_t from = whence == SEEK_SET   ? 0
                             : whence == SEEK_CUR ? reader.at_
                                                  : reader.file_.size();
  reader.at_ = from + offset;
  return reader.at_;
}

toff_t TiffReader::Size(thandle_t handle) { return Of(handle).file_.size(); }

std::uint32_t TiffReader::Field16(std::uint32_t tag) const {
  std::uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff_, tag, &value);
  return value;
}

std::uint32_t TiffReader::Field32(std::uint32_t tag) const {
  std::uint32_t value = 0;
  TIFFGetFieldDefaulted(tiff_, tag, &value);
  return value;
}

}  // namespace weir
