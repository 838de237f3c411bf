// A tar archive, written by libarchive into an AtomicFile. Its bytes are a function of what is
// added.
//
//   AtomicFile file("shard.tar");
//   TarWriter archive(file);
//   archive.Add("000.jpg", content);
//   archive.Close();
//   file.Commit();
//
// Members throw Error(kData) where the file does or libarchive refuses, std::bad_alloc where that
// has no memory. Holds what libarchive does, 64 KiB at most. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "stages/files/atomic_file.h"

struct archive;

namespace weir {

class TarWriter {
 public:
  explicit TarWriter(AtomicFile& file);  // which outlives it
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;
  ~TarWriter();

  void Add(const std::string& name, std::string_view content);

  // Nothing is added afterwards.
  void Close();

  std::uint64_t bytes() const { return bytes_; }  // that the archive has so far

 private:
  struct Free {
    void operator()(struct archive* archive) const;
  };

  static std::ptrdiff_t WriteBytes(struct archive*, void* self, const void* bytes,
                                   std::size_t size);
  void Check(int status) const;

  AtomicFile& file_;
  std::exception_ptr error_;
  bool is_ended_ = false;  // what libarchive writes then goes nowhere
  std::uint64_t bytes_ = 0;
  std::unique_ptr<struct archive, Free> archive_;
};

}  // namespace weir
