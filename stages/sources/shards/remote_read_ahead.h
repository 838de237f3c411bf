// Fetches the pictures of a pass from their server before their turn comes, in the order of the
// pass, within a bound of memory.
//
// Pictures that follow each other in the pass and lie one behind the other in their shard are
// fetched together, 2 MiB at most, which saves round trips; where the pass is shuffled that is
// seldom, and each is fetched by itself. What is larger than half of the bound is not fetched
// beforehand: whoever decodes it reads it from the server, and waits. What is no file on a server
// is passed on.
//
// One thread; the bytes of a picture end with the last ImageFile that has them, in any. Holds
// `limit_bytes` of them at most, and bytes_beside() for their names.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "stages/files/remote/remote_client.h"
#include "stages/files/remote/remote_file.h"
#include "stages/payloads.h"

namespace weir {

class RemoteReadAhead {
 public:
  using Walk = std::function<std::optional<ImageFile>()>;

  RemoteReadAhead(std::shared_ptr<RemoteClient> client, std::size_t limit_bytes);
  ~RemoteReadAhead();

  // The pictures of a pass; forgets those of the last one. Nothing is asked for before IsReady().
  void Begin(Walk walk);

  // Whether Next() need not wait: not while the next picture is on its way. Where all the room is
  // held by those that were taken, it is not fetched beforehand, and Next() gives it at once.
  bool IsReady();

  // Throws Error(kData) where the picture's shard cannot be read, or was changed.
  std::optional<ImageFile> Next();

  static std::size_t bytes_beside();

 private:
  class Fetched;  // the bytes that are here, as a ByteSource
  // Pictures that are fetched together.
  struct Group {
    std::shared_ptr<const RemoteFile> file;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::shared_ptr<RemoteRange> range{};  // null before it was asked for
    ~Group();
  };
  struct Entry {
    ImageFile picture;
    std::shared_ptr<Group> group;  // null where nothing is fetched beforehand
  };

  void Fill();
  bool Add(ImageFile& picture);
  bool Extend(const FilePart& part);
  void AskForOpen();
  bool HasRoomFor(std::size_t bytes) const;

  const std::shared_ptr<RemoteClient> client_;
  const std::size_t limit_bytes_;
  const std::shared_ptr<std::atomic<std::size_t>> held_bytes_;
  Walk walk_;
  bool is_walked_out_ = true;
  bool is_full_ = false;
  std::optional<ImageFile> next_;  // for which there was no room
  std::deque<Entry> entries_;
  std::shared_ptr<Group> open_;  // the last of them, as long as it may get longer
};

}  // namespace weir
