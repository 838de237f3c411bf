// Where the pictures in tar shards lie, so that each can be read without the others.
//
// Adding is for one thread; a filled index is read by any. What is found holds as long as the shard
// is what it was: the pictures of one that was changed since are dropped by name, and where it lies
// on a server, reading them fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/files/remote/remote_client.h"
#include "stages/files/remote/remote_file.h"
#include "stages/payloads.h"
#include "stages/sources/listing/file_listing.h"
#include "stages/sources/listing/left_out.h"

namespace weir {

class TarInput;
class TarReader;

class ShardIndex {
 public:
  // What the files of a sample are for, by what follows the first dot of their names, in lower
  // case.
  struct Endings {
    std::string label = "cls";
    std::vector<std::string> images{};  // empty: all pictures that weir reads
    std::string class_key = "class";    // in those that end in json; empty: they are not read

    bool IsPicture(const std::string& ending) const;
    // Whether what ends so is a picture if it begins as one.
    bool MayBePicture(const std::string& ending) const;
  };
  // What stands beside a picture.
  struct Notes {
    std::string label;       // empty where there is none
    std::string class_name;  // likewise
  };

  // What to read shards on servers by.
  struct Remote {
    RemoteSettings settings{};
    std::function<bool()> is_interrupted = [] { return false; };
  };

  ShardIndex();
  explicit ShardIndex(Remote remote);
  ~ShardIndex();

  // Adds the samples of a shard, and calls on_sample for each with what its messages are to begin
  // with: "a.tar: 042.jpg". Throws Error(kData) where it cannot be read, is cut off or damaged, or
  // what has a label is not one picture; what has neither is left out.
  void AddShard(const std::string& path, const Endings& endings,
                const std::function<void(const Notes&, const std::string& place)>& on_sample);

  std::uint64_t size() const { return parts_.size(); }
  std::string name(std::uint64_t index) const { return names_.path(index); }  // "a.tar/042.jpg"
  FilePart part(std::uint64_t index) const;

  // What reads shards on servers; null where there are none.
  const std::shared_ptr<RemoteClient>& client() const { return client_; }
  std::uint64_t remote_shards() const { return remote_shards_; }
  std::uint64_t remote_bytes() const { return remote_bytes_; }  // all of them together

  // The files that are no part of a sample.
  const LeftOut& left_out() const { return left_out_; }

  std::size_t bytes() const;  // what it holds

 private:
  class Unpacked;  // what was compressed
  struct SampleFiles;
  struct Place {
    std::uint64_t begin;
    std::uint32_t size;
  };
  struct Shard {
    std::string name;
    std::string path;                          // the file that its bytes are read from
    std::uint64_t first;                       // its first sample
    std::optional<FileStamp> stamp;            // null where it was unpacked, or lies on a server
    std::shared_ptr<const RemoteFile> file{};  // null where it does not lie on a server
  };

  std::unique_ptr<TarInput> OpenInput(const std::string& shard, std::shared_ptr<RemoteFile>& file);

  bool ChoosePicture(const std::string& shard, SampleFiles& sample);
  Place PlaceOf(TarReader& tar, const std::string& first);
  void LeaveOut(const TarReader& tar);

  const Remote remote_;
  std::shared_ptr<RemoteClient> client_;
  std::uint64_t remote_shards_ = 0;
  std::uint64_t remote_bytes_ = 0;
  FileListing names_;
  std::vector<Place> parts_;
  std::vector<Shard> shards_;
  LeftOut left_out_;
  std::unique_ptr<Unpacked> unpacked_;  // null as long as nothing was
};

}  // namespace weir
