// The files in a tar file, one after the other, through libarchive; it may be compressed by gzip.
//
// One thread. Holds what libarchive does: some 100 KB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct archive;
struct archive_entry;

namespace weir {

class TarReader {
 public:
  // All members throw Error(kData), with the tar file and what in it, where it is not as it should
  // be.
  explicit TarReader(const std::string& path);
  ~TarReader();

  // Goes to the next file or folder; false at the end. Throws for links, and for what is cut off.
  bool Next();

  // Of that file.
  const std::string& name() const { return name_; }
  bool is_folder() const;
  std::uint64_t size() const;
  std::uint64_t begin() const { return begin_; }  // in the tar file, where that is not compressed
  bool is_compressed() const;

  // Its content in pieces, and at once.
  void Read(const std::function<void(std::string_view)>& take);
  std::string ReadText(std::size_t most_bytes);

  [[noreturn]] void Refuse(const std::string& why, const std::string& remedy) const;

 private:
  void Check(int status) const;
  [[noreturn]] void ThrowFailure() const;

  struct Free {
    void operator()(archive* opened) const;
  };

  const std::string path_;
  const std::unique_ptr<archive, Free> archive_;
  std::uint64_t file_size_ = 0;
  archive_entry* entry_ = nullptr;
  std::string name_;
  std::uint64_t begin_ = 0;
};

}  // namespace weir
