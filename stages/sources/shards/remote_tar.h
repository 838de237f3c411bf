// The bytes of a tar file on a server, for who looks through it.
//
// Small files that are passed over are fetched with the rest, in parts of 1 MiB of which 4 are on
// their way at once: to ask anew for what lies behind each would take a round trip a file. What is
// passed over and larger than that is not fetched.
//
// What was read is kept in a folder, by the address, the ETag and the length, and is not fetched
// again as long as those hold (tar_outline.h). Where the server has no ETag that stands for the
// very bytes, where the tar file is compressed, and where the folder cannot be written, nothing is
// kept. RemoveUnused() keeps the folder from growing without end.
//
// Holds 4 MiB at most.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "stages/files/remote/remote_file.h"
#include "stages/sources/shards/tar_input.h"
#include "stages/sources/shards/tar_outline.h"

namespace weir {

class RemoteTar final : public TarInput {
 public:
  static constexpr std::size_t kFirstBytes = 64 << 10;  // that `file` is to be opened with

  RemoteTar(std::shared_ptr<RemoteFile> file, const std::filesystem::path& folder);

  // Removes from the folder what was not used for 90 days, and what runs that were killed left
  // there more than a day ago.
  static void RemoveUnused(const std::filesystem::path& folder);

  RemoteTar(const RemoteTar&) = delete;
  RemoteTar& operator=(const RemoteTar&) = delete;
  ~RemoteTar() override { Forget(); }

  const std::string& name() const override { return file_->shown(); }
  const FileStamp& stamp() const override { return stamp_; }
  std::array<unsigned char, 2> FirstTwo() override;
  std::size_t Read(std::span<unsigned char> to) override;
  bool Skip(std::uint64_t bytes) override;
  bool Close() override;

 private:
  struct Block {
    std::uint64_t begin;
    std::uint64_t end;
    std::shared_ptr<RemoteRange> range;
  };

  void FindOutline(const std::filesystem::path& folder);
  std::size_t ReadRemote(std::span<unsigned char> to);
  void Keep(std::span<const unsigned char> bytes);
  void Forget();
  void PassBlocks();
  void AskAhead();

  const std::shared_ptr<RemoteFile> file_;
  const FileStamp stamp_;
  std::deque<Block> blocks_;  // one behind the other; the first has position_ in it, if any has
  std::uint64_t position_ = 0;
  std::uint64_t asked_to_ = 0;  // where the last of them ends
  std::size_t block_bytes_;
  std::size_t most_blocks_ = 1;
  std::optional<TarOutlineReader> known_;    // what was read of it before
  std::optional<TarOutlineWriter> outline_;  // what is read now, where it is not known
};

}  // namespace weir
