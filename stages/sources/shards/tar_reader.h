// The files in a tar file, one after the other, through libarchive; it may be compressed by gzip,
// and lie on a server.
//
// One thread. Limits: 2 MiB of header a file. Holds what libarchive does: some 100 KB, and at most
// 24 MB of such a header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "stages/file_stamp.h"
#include "stages/sources/shards/tar_bytes.h"
#include "stages/sources/shards/tar_input.h"

struct archive;
struct archive_entry;

namespace weir {

class TarReader {
 public:
  // All members throw Error(kData), with the tar file and what in it, where it is not as it should
  // be.
  explicit TarReader(std::unique_ptr<TarInput> input);
  explicit TarReader(const std::string& path) : TarReader(OpenTarFile(path)) {}
  ~TarReader();

  // Goes to the next entry; false at the end. Throws for what is cut off: also where the zeros are
  // missing that every tar file ends in. Of tar files one behind the other, as cat puts them, each
  // is read.
  bool Next();

  // What that entry is.
  const std::string& name() const { return name_; }
  bool is_file() const;  // no folder, link or sparse file
  std::uint64_t size() const;
  std::uint64_t begin() const { return begin_; }  // in the tar file, where that is not compressed
  bool is_compressed() const;

  // Its first bytes, fewer where there are not so many; Read() then gives what follows them.
  std::string ReadFirst(std::size_t bytes);

  // What the tar file was when it was opened.
  const FileStamp& stamp() const { return input_->stamp(); }
  // To be called behind its last entry: whether it still is what it was.
  void CheckUnchanged() const;

  // Its content in pieces, and at once.
  void Read(const std::function<void(std::string_view)>& take);
  std::string ReadText(std::size_t most_bytes);

  // "a.tar: 042.jpg is cut off"
  [[noreturn]] void Refuse(const std::string& why, const std::string& remedy) const;

 private:
  void Check(int status) const;
  void CheckEnd();
  [[noreturn]] void ThrowFailure() const;

  struct Free {
    void operator()(archive* opened) const;
  };

  const std::unique_ptr<TarInput> input_;
  const std::string& path_;          // the input's name
  std::unique_ptr<TarBytes> bytes_;  // what archive_ reads from: it outlives that
  const std::unique_ptr<archive, Free> archive_;
  archive_entry* entry_ = nullptr;
  std::string name_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;  // where the entry's last block ends, in bytes of the unpacked archive
};

}  // namespace weir
