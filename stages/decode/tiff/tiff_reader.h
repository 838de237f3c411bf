// A file as libtiff reads it, its first page.
//
// One thread an object. What libtiff holds for it is in TiffLayout::HeldBytes().
#pragma once

#include <tiffio.h>

#include <cstdint>
#include <string>

#include "stages/files/file_bytes.h"

namespace weir {

// The first error that libtiff speaks of in this thread while this object is there; nothing goes to
// stderr. (libtiff has one function for the errors of all files of a process.)
class TiffError {
 public:
  TiffError();
  TiffError(const TiffError&) = delete;
  TiffError& operator=(const TiffError&) = delete;
  ~TiffError();

  // In libtiff's own words: "is corrupt: Not enough data at scanline 3".
  std::string Reason() const;

 private:
  std::string text_;
};

class TiffReader {
 public:
  // An uncompressed picture in one strip is read as many short ones where it is to be `chopped`.
  // `file` outlives it.
  TiffReader(const FileBytes& file, bool chopped);
  TiffReader(const TiffReader&) = delete;
  TiffReader& operator=(const TiffReader&) = delete;
  ~TiffReader();

  TIFF* tiff() const { return tiff_; }  // null where libtiff cannot read the header
  // A field that has a value in any TIFF.
  std::uint32_t Field16(std::uint32_t tag) const;
  std::uint32_t Field32(std::uint32_t tag) const;

 private:
  static TiffReader& Of(thandle_t handle) { return *static_cast<TiffReader*>(handle); }
  static tmsize_t Read(thandle_t handle, void* to, tmsize_t count);
  static toff_t Seek(thandle_t handle, toff_t offset, int whence);
  static toff_t Size(thandle_t handle);

  const FileBytes& file_;
  std::uint64_t at_ = 0;
  TIFF* tiff_ = nullptr;
};

}  // namespace weir
