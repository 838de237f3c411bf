// The bytes of a tar file for libarchive, unpacked where they are compressed by gzip.
//
// They are given only as far as they are allowed for. libarchive reads the map of a sparse file
// with its header, however long that map is, and holds 12 times its text; with a limit for each
// header it cannot. One thread. Holds 16 KB, and zlib's 44 KB where the file is compressed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "stages/sources/shards/tar_input.h"

struct archive;
struct z_stream_s;  // NOLINT(readability-identifier-naming): it is zlib's

namespace weir {

class TarBytes {
 public:
  // `input` outlives this.
  explicit TarBytes(TarInput& input);
  TarBytes(const TarBytes&) = delete;
  TarBytes& operator=(const TarBytes&) = delete;

  bool is_compressed() const { return inflater_ != nullptr; }

  // From now on so many bytes may be read, unpacked ones where they are compressed.
  void Allow(std::uint64_t bytes) { allowed_ = bytes; }

  // What kept bytes from being given, which libarchive does not pass on; empty where nothing did.
  const std::string& problem() const { return problem_; }

  // Throws what the input has thrown, if it has: nothing may be thrown through libarchive.
  void RethrowFailure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  // Makes `reader` read from here, for as long as this is there. Returns libarchive's status.
  int Open(archive* reader);

 private:
  struct EndInflating {
    void operator()(z_stream_s* stream) const;
  };

  // Give how many bytes there are, 0 at the end, -1 with a problem.
  std::ptrdiff_t Read(const void** begin);
  std::ptrdiff_t ReadFile();
  std::ptrdiff_t Inflate();
  bool Refill();  // for the inflater, where it has used up all; false with a problem
  std::ptrdiff_t Fail(std::string problem);
  std::int64_t Skip(std::int64_t bytes);

  TarInput& input_;
  std::unique_ptr<z_stream_s, EndInflating> inflater_;  // null for a file that is not compressed
  bool is_ended_ = false;                               // behind the last compressed member
  std::uint64_t allowed_ = 0;
  std::string problem_;
  std::exception_ptr failure_;
  std::array<unsigned char, 8 << 10> read_;      // what the file has here
  std::array<unsigned char, 8 << 10> unpacked_;  // the same, unpacked
};

}  // namespace weir
