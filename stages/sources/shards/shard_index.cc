#include "stages/sources/shards/shard_index.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/decode/formats.h"
#include "stages/files/cache_folder.h"
#include "stages/files/unnamed_file.h"
#include "stages/sources/json_object.h"
#include "stages/sources/listing/endings.h"
#include "stages/sources/listing/picture_names.h"
#include "stages/sources/shards/remote_tar.h"
#include "stages/sources/shards/tar_reader.h"

namespace weir {
namespace {

constexpr std::size_t kMostLabelBytes = 4 << 10;
constexpr std::size_t kMostNotesBytes = 1 << 20;

// "a/000042.jpg": the sample a/000042, and the ending jpg.
std::pair<std::string_view, std::string_view> SplitName(std::string_view name) {
  const std::size_t base = name.rfind('/') + 1;  // 0 where there is none
  const std::size_t dot = name.find('.', base);
  if (dot == std::string_view::npos || dot == base) return {};  // no sample's, or hidden
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string ClassNameIn(std::string_view text, const std::string& key) {
  std::optional<JsonObject> notes = ReadJsonObject(text, {key});
  return notes ? std::move(notes->values[0].text) : "";
}

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin));
}

}  // namespace

// What was compressed, one shard behind the other.
class ShardIndex::Unpacked {
 public:
  Unpacked() : file_(UnnamedFile::Make(CacheFolder())) {
    if (!file_) ThrowErrno();
  }

  void Write(std::string_view bytes) {
    if (!file_->Append(bytes)) ThrowErrno();
  }

  std::uint64_t size() const { return file_->size(); }
  std::string path() const { return file_->path(); }

 private:
  [[noreturn]] static void ThrowErrno() {
    const std::string reason = std::generic_category().message(errno);
    throw Error(ErrorKind::kData,
                "webdataset: a compressed shard cannot be unpacked into " + CacheFolder().string() +
                    ": " + reason,
                "Set WEIR_CACHE to a folder with room, or unpack the shards with gunzip.");
  }

  std::optional<UnnamedFile> file_;
};

bool ShardIndex::Endings::IsPicture(const std::string& ending) const {
  if (images.empty()) return IsPictureName("x." + ending);
  return std::find(images.begin(), images.end(), ending) != images.end();
}

bool ShardIndex::Endings::MayBePicture(const std::string& ending) const {
  return images.empty() && !IsAnnotationName("x." + ending);
}

ShardIndex::ShardIndex() : ShardIndex(Remote{}) {}
ShardIndex::ShardIndex(Remote remote) : remote_(std::move(remote)) {}
ShardIndex::~ShardIndex() = default;

// The files of one sample, as they come one behind the other.
struct ShardIndex::SampleFiles {
  struct Picture {
    std::string name;
    Place place;
  };

  std::string key{};
  std::optional<Picture> picture{};
  std::vector<Picture> unnamed{};  // files that begin as pictures do, and end in something else
  Notes notes{};
};

// Gives a shard on a server in `file` too.
std::unique_ptr<TarInput> ShardIndex::OpenInput(const std::string& shard,
                                                std::shared_ptr<RemoteFile>& file) {
  if (!IsRemote(shard)) return OpenTarFile(shard);
  if (!client_) {
    client_ = std::make_shared<RemoteClient>(remote_.settings, remote_.is_interrupted);
    RemoteTar::RemoveUnused(CacheFolder() / "shards");
  }
  file = std::make_shared<RemoteFile>(client_, shard, RemoteTar::kFirstBytes);
  ++remote_shards_;
  remote_bytes_ += file->size();
  return std::make_unique<RemoteTar>(file, CacheFolder() / "shards");
}

void ShardIndex::AddShard(const std::string& path, const Endings& endings,
                          const std::function<void(const Notes&, const std::string&)>& on_sample) {
  std::shared_ptr<RemoteFile> file;
  TarReader tar(OpenInput(path, file));
  const std::string shard = file ? file->shown() : path;
  SampleFiles sample;
  bool is_new = true;
  const auto end_sample = [&] {
    if (!ChoosePicture(shard, sample)) return;
    if (is_new && tar.is_compressed()) {
      shards_.push_back({shard, unpacked_->path(), size(), std::nullopt});
    } else if (is_new) {
      shards_.push_back({shard, shard, size(), std::nullopt, file});
      if (!file) shards_.back().stamp = tar.stamp();
    }
    is_new = false;
    names_.AddFile(shard + "/", sample.picture->name);
    parts_.push_back(sample.picture->place);
    on_sample(sample.notes, shard + ": " + Printable(sample.picture->name));
  };
  while (tar.Next()) {
    const auto [key, written_ending] = SplitName(tar.name());
    if (written_ending.empty()) {
      LeaveOut(tar);
      continue;
    }
    const std::string ending = LowerCase(std::string(written_ending));
    const bool is_label = ending == endings.label, is_picture = endings.IsPicture(ending);
    if (!tar.is_file()) {
      if (!is_label && !is_picture) continue;
      tar.Refuse("is no plain file", "Pack what is meant itself, not a link to it.");
    }
    if (key != sample.key) {
      end_sample();
      sample = {.key = std::string(key)};
    }
    if (is_label) {
      sample.notes.label = Trimmed(tar.ReadText(kMostLabelBytes));
    } else if (ending == "json" && !endings.class_key.empty() && tar.size() <= kMostNotesBytes) {
      sample.notes.class_name = ClassNameIn(tar.ReadText(kMostNotesBytes), endings.class_key);
    } else if (is_picture) {
      if (sample.picture) {
        tar.Refuse("is the second picture of its sample", "`image` says which is meant.");
      }
      sample.picture = {tar.name(), PlaceOf(tar, "")};
    } else if (sample.picture || !endings.MayBePicture(ending)) {
      LeaveOut(tar);
    } else if (const std::string first = tar.ReadFirst(kFirstBytes); LooksLikePicture(first)) {
      sample.unnamed.push_back({tar.name(), PlaceOf(tar, first)});
    } else {
      LeaveOut(tar);
    }
  }
  end_sample();
  tar.CheckUnchanged();
}

// Where its bytes are; `first` are those that were read of it already.
ShardIndex::Place ShardIndex::PlaceOf(TarReader& tar, const std::string& first) {
  if (tar.size() > std::numeric_limits<std::uint32_t>::max()) {
    tar.Refuse("is larger than 4 GiB", "Leave it out.");
  }
  Place place{tar.begin(), static_cast<std::uint32_t>(tar.size())};
  if (!tar.is_compressed()) return place;
  if (!unpacked_) unpacked_ = std::make_unique<Unpacked>();
  place.begin = unpacked_->size();
  unpacked_->Write(first);
  tar.Read([&](std::string_view piece) { unpacked_->Write(piece); });
  return place;
}

void ShardIndex::LeaveOut(const TarReader& tar) {
  const std::string_view path = tar.name();
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (tar.is_file() && !IsClutter(name)) left_out_.AddFile(name);
}

// False where the sample has no picture. One that ends as pictures do is taken rather than one that
// only begins so: that may be a mask.
bool ShardIndex::ChoosePicture(const std::string& shard, SampleFiles& sample) {
  if (!sample.picture && sample.unnamed.size() > 1) {
    throw Error(ErrorKind::kData,
                shard + ": both " + Printable(sample.unnamed[0].name) + " and " +
                    Printable(sample.unnamed[1].name) + " may be the picture of their sample",
                "`image` says what pictures end in.");
  }
  if (!sample.picture && !sample.unnamed.empty()) {
    sample.picture = sample.unnamed.front();
  } else {
    for (const SampleFiles::Picture& other : sample.unnamed) left_out_.AddFile(other.name);
  }
  if (!sample.picture && !(sample.notes.label.empty() && sample.notes.class_name.empty())) {
    throw Error(
        ErrorKind::kData,
        shard + ": the sample '" + Printable(sample.key) + "' has a label and no picture",
        "The files of a sample lie one behind the other (tar --sort=name); pictures end in " +
            PictureEndings() + ".");
  }
  return sample.picture.has_value();
}

FilePart ShardIndex::part(std::uint64_t index) const {
  const auto next =
      std::upper_bound(shards_.begin(), shards_.end(), index,
                       [](std::uint64_t i, const Shard& shard) { return i < shard.first; });
  const Shard& shard = *std::prev(next);
  return {shard.path, parts_[index].begin, parts_[index].size, shard.stamp, shard.file};
}

std::size_t ShardIndex::bytes() const {
  std::size_t bytes = names_.bytes() + parts_.capacity() * sizeof parts_[0];
  for (const Shard& shard : shards_) {
    bytes += sizeof shard + 2 * shard.name.capacity();
    if (shard.file) bytes += sizeof(RemoteFile) + 6 * shard.name.capacity();
  }
  return bytes;
}

}  // namespace weir
