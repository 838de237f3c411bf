#include "stages/sources/shard_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "stages/model/weights_source.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadAtOnce = 8 << 10;  // a header, and little of what is passed over
constexpr std::size_t kMostLabelBytes = 4 << 10;
constexpr std::size_t kMostNotesBytes = 1 << 20;
constexpr std::size_t kMostShards = 1'000'000;

// One tar file, read through libarchive.
class TarReader {
 public:
  explicit TarReader(const std::string& path) : path_(path), archive_(archive_read_new()) {
    if (!archive_) throw std::bad_alloc();
    archive_read_support_format_tar(archive_.get());
    archive_read_support_filter_gzip(archive_.get());
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
      throw Error(ErrorKind::kData,
                  path + (fs::exists(path, error) ? " is no file" : " does not exist"),
                  "Name tar files, folders of them, or a range: photos-{000000..000003}.tar.");
    }
    size_ = fs::file_size(path, error);
    Check(archive_read_open_filename(archive_.get(), path.c_str(), kReadAtOnce));
  }

  // False at the end.
  bool Next() {
    const int status = archive_read_next_header(archive_.get(), &entry_);
    if (status == ARCHIVE_EOF) return false;
    Check(status);
    const char* name = archive_entry_pathname(entry_);
    if (!name) name = archive_entry_pathname_utf8(entry_);  // what the locale has no letters for
    name_ = name ? name : "";
    // All of a plain file's bytes so far are its header's.
    begin_ = static_cast<std::uint64_t>(archive_filter_bytes(archive_.get(), 0));
    if (is_folder()) return true;
    if (archive_entry_filetype(entry_) != AE_IFREG || archive_entry_hardlink(entry_) ||
        archive_entry_sparse_count(entry_) > 0) {
      Refuse("is no plain file", "Pack the pictures themselves, not links to them.");
    }
    if (!is_compressed() && begin_ + size() > size_) Refuse("is cut off", "Copy the shard anew.");
    return true;
  }

  const std::string& name() const { return name_; }
  bool is_folder() const { return archive_entry_filetype(entry_) == AE_IFDIR; }
  std::uint64_t size() const { return static_cast<std::uint64_t>(archive_entry_size(entry_)); }
  std::uint64_t begin() const { return begin_; }  // in the file, where that is not compressed
  bool is_compressed() const {
    return archive_filter_code(archive_.get(), 0) != ARCHIVE_FILTER_NONE;
  }
  std::string place() const { return path_ + ": " + name_; }

  // Gives the content in pieces.
  void Read(const std::function<void(std::string_view)>& take) {
    std::array<char, kReadAtOnce> piece;
    while (true) {
      const la_ssize_t got = archive_read_data(archive_.get(), piece.data(), piece.size());
      if (got == 0) return;
      if (got < 0) Check(static_cast<int>(got));
      if (got > 0) take({piece.data(), static_cast<std::size_t>(got)});
    }
  }

  std::string ReadText(std::size_t most_bytes) {
    if (size() > most_bytes) Refuse("is too long for what it is", "Is it another kind of file?");
    std::string text;
    Read([&](std::string_view piece) { text += piece; });
    return text;
  }

  [[noreturn]] void Refuse(const std::string& why, const std::string& remedy) const {
    throw Error(ErrorKind::kData, place() + " " + why, remedy);
  }

 private:
  struct Free {
    void operator()(struct archive* archive) const { archive_read_free(archive); }
  };

  void Check(int status) {
    if (status >= ARCHIVE_WARN) return;
    if (archive_errno(archive_.get()) == ENOMEM) throw std::bad_alloc();
    const char* const what = archive_error_string(archive_.get());
    throw Error(ErrorKind::kData,
                path_ + " cannot be read as a tar file: " + (what ? what : "libarchive failed"),
                "Copy the shard anew, or leave it out.");
  }

  const std::string path_;
  const std::unique_ptr<struct archive, Free> archive_;
  std::uint64_t size_ = 0;  // of the file
  archive_entry* entry_ = nullptr;
  std::string name_;
  std::uint64_t begin_ = 0;
};

// "a/000042.jpg": the sample a/000042, and the ending jpg.
std::pair<std::string_view, std::string_view> SplitName(std::string_view name) {
  const std::size_t base = name.rfind('/') + 1;  // 0 where there is none
  const std::size_t dot = name.find('.', base);
  if (dot == std::string_view::npos || dot == base) return {};  // no sample's, or hidden
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string ClassNameIn(const std::string& text) {
  const auto notes = nlohmann::json::parse(text, nullptr, false);
  const auto found = notes.is_object() ? notes.find("class") : notes.end();
  return found != notes.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin));
}

std::optional<std::uint64_t> WholeNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole ? std::optional(number) : std::nullopt;
}

// The texts that stand for "000..012" or "a,b".
std::vector<std::string> Alternatives(const std::string& inside) {
  const std::size_t dots = inside.find("..");
  if (dots != std::string::npos) {
    const std::string low = inside.substr(0, dots), high = inside.substr(dots + 2);
    const auto first = WholeNumber(low), last = WholeNumber(high);
    if (!first || !last || *last < *first || *last - *first >= kMostShards) return {};
    std::vector<std::string> all;
    for (std::uint64_t number = *first; number <= *last; ++number) {
      const std::string digits = std::to_string(number);
      const std::size_t width = low.starts_with('0') ? low.size() : 0;
      all.push_back(std::string(width - std::min(width, digits.size()), '0') + digits);
    }
    return all;
  }
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin <= inside.size();) {
    const std::size_t comma = std::min(inside.find(',', begin), inside.size());
    all.push_back(inside.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return all;
}

void Expand(const std::string& key, const std::string& pattern, std::vector<std::string>& paths) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return paths.push_back(pattern);
  const std::vector<std::string> all = Alternatives(pattern.substr(open + 1, close - open - 1));
  if (all.empty() || paths.size() + all.size() > kMostShards) {
    throw Error(ErrorKind::kData,
                key + ": " + pattern.substr(open, close - open + 1) + " is no range of shards",
                "Write one as {000000..000012}, of a million at most.");
  }
  for (const std::string& one : all) {
    Expand(key, pattern.substr(0, open) + one + pattern.substr(close + 1), paths);
  }
}

}  // namespace

bool IsShardName(std::string_view name) {
  return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

std::vector<std::string> ShardsOf(const std::string& key, const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (fs::exists(path, error)) return {path.string()};
    std::vector<std::string> paths;
    Expand(key, path.string(), paths);
    return paths;
  }
  std::vector<std::string> paths;
  for (fs::directory_iterator next(path, error), end; !error && next != end;
       next.increment(error)) {
    const std::string name = next->path().filename().string();
    if (!name.starts_with('.') && IsShardName(name)) paths.push_back(next->path().string());
  }
  if (error) {
    throw Error(ErrorKind::kData,
                key + ": " + path.string() + " cannot be read: " + error.message(),
                "Give this user the right to read it, or leave it out.");
  }
  if (paths.empty()) {
    throw Error(ErrorKind::kData, key + ": " + path.string() + " has no tar files",
                "Shards end in .tar, .tar.gz and .tgz.");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// A file that has no name and so ends with the process, whatever ends that.
class ShardIndex::Unpacked {
 public:
  Unpacked() : folder_(WeightsCache()) {
    std::error_code error;
    fs::create_directories(folder_, error);
    std::string name = (folder_ / "unpacked-XXXXXX").string();
    file_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (file_ < 0) ThrowErrno();
    ::unlink(name.c_str());
  }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  ~Unpacked() { ::close(file_); }

  void Write(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) ThrowErrno();
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  std::uint64_t size() const { return size_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  [[noreturn]] void ThrowErrno() const {
    throw Error(ErrorKind::kData,
                "webdataset: a compressed shard cannot be unpacked into " + folder_.string() +
                    ": " + std::generic_category().message(errno),
                "Set WEIR_CACHE to a folder with room, or unpack the shards with gunzip.");
  }

  const fs::path folder_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

ShardIndex::ShardIndex() = default;
ShardIndex::~ShardIndex() = default;
ShardIndex::ShardIndex(ShardIndex&&) noexcept = default;

void ShardIndex::AddShard(const std::string& shard, const std::string& label_ending,
                          const std::function<void(const Notes&, const std::string&)>& on_sample) {
  TarReader tar(shard);
  std::string key;  // of the sample that is being read
  std::optional<std::string> picture;
  Place place{};
  Notes notes;
  const auto end_sample = [&] {
    if (picture) {
      if (shards_.empty() || shards_.back().name != shard) {
        const std::string& from = tar.is_compressed() ? unpacked_->path() : shard;
        shards_.push_back({shard, from, size()});
      }
      names_.AddFile(shard + "/", *picture);
      parts_.push_back(place);
      on_sample(notes, shard + ": " + *picture);
    } else if (!notes.label.empty()) {
      throw Error(ErrorKind::kData, shard + ": the sample '" + key + "' has a label and no picture",
                  "Pictures end in " + PictureEndings() + ".");
    }
    picture.reset();
    notes = {};
  };
  while (tar.Next()) {
    const auto [sample, ending] = SplitName(tar.name());
    if (tar.is_folder() || ending.empty()) continue;
    if (sample != key) {
      end_sample();
      key = sample;
    }
    if (ending == label_ending) {
      notes.label = Trimmed(tar.ReadText(kMostLabelBytes));
    } else if (ending == "json") {
      notes.class_name = ClassNameIn(tar.ReadText(kMostNotesBytes));
    } else if (IsPictureName("x." + std::string(ending))) {
      if (picture) tar.Refuse("is the second picture of its sample", "A sample is one picture.");
      if (tar.size() > std::numeric_limits<std::uint32_t>::max()) {
        tar.Refuse("is larger than 4 GiB", "Leave it out.");
      }
      picture = tar.name();
      place = {tar.begin(), static_cast<std::uint32_t>(tar.size())};
      if (!tar.is_compressed()) continue;
      if (!unpacked_) unpacked_ = std::make_unique<Unpacked>();
      place.begin = unpacked_->size();
      tar.Read([&](std::string_view piece) { unpacked_->Write(piece); });
    }
  }
  end_sample();
}

FilePart ShardIndex::part(std::uint64_t index) const {
  const auto next =
      std::upper_bound(shards_.begin(), shards_.end(), index,
                       [](std::uint64_t i, const Shard& shard) { return i < shard.first; });
  return {std::prev(next)->path, parts_[index].begin, parts_[index].size};
}

std::size_t ShardIndex::bytes() const {
  std::size_t bytes = names_.bytes() + parts_.capacity() * sizeof parts_[0];
  for (const Shard& shard : shards_) bytes += sizeof shard + 2 * shard.name.capacity();
  return bytes;
}

}  // namespace weir
