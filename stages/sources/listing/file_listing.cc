#include "stages/sources/listing/file_listing.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <climits>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "framework/error.h"
#include "stages/decode/formats.h"
#include "stages/files/file_bytes.h"
#include "stages/sources/listing/picture_names.h"

namespace weir {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::uint64_t kLookedUp = 10;  // files that a text names, of which one must exist

[[noreturn]] void ThrowUnreadable(const std::string& folder) {
  const std::string reason = std::generic_category().message(errno);
  throw Error(ErrorKind::kData, "the folder '" + folder + "' cannot be read: " + reason,
              "Give this user the right to read it, or leave it out.");
}

// A folder that is still to be read, and those that it lies in.
struct Pending {
  std::string path;
  int parent;  // in the list of folders; -1 at the top
  dev_t device;
  ino_t inode;
};

Pending Examined(std::string path, int parent) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) ThrowUnreadable(path);
  return {std::move(path), parent, status.st_dev, status.st_ino};
}

// S_IFREG, S_IFDIR...: what an entry is; a link is what it leads to. A link that leads nowhere is a
// file, so that it is reported when it is opened. 0 for what is not to be entered, or is gone.
mode_t TypeOf(const dirent& entry, const std::string& path, bool follow_links) {
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return DTTOIF(entry.d_type);
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return 0;
  const bool is_link = S_ISLNK(status.st_mode);
  if (is_link && ::stat(path.c_str(), &status) != 0) return S_IFREG;
  return S_ISDIR(status.st_mode) && is_link && !follow_links ? 0 : status.st_mode & S_IFMT;
}

// How LeftOut counts what is neither a file nor a folder.
const char* NameOfType(mode_t type) {
  return type == S_IFIFO ? "pipe" : type == S_IFSOCK ? "socket" : "device";
}

// Whether the file begins as a picture does.
bool HoldsPicture(const std::string& path) {
  const Outcome<FileBytes> file = FileBytes::Open({path});
  const FileBytes* opened = std::get_if<FileBytes>(&file);
  if (!opened) return false;
  std::array<char, kFirstBytes> first;
  return LooksLikePicture({first.data(), opened->ReadSome(0, first.data(), first.size())});
}

void CheckForLoop(std::span<const Pending> folders, const Pending& folder) {
  for (int i = folder.parent; i >= 0; i = folders[i].parent) {
    if (folders[i].device == folder.device && folders[i].inode == folder.inode) {
      throw Error(ErrorKind::kData,
                  "the link '" + folder.path + "' leads back to '" + folders[i].path +
                      "', the folder that it lies in",
                  "Remove the link (`directory` has `follow_links: false` for folders with such).");
    }
  }
}

// Calls visit(entry) for all in `folder` that is not hidden.
template <class Visit>
void ForEachEntry(const std::string& folder, Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) ThrowUnreadable(folder);
  errno = 0;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads from this one
  while (const dirent* entry = ::readdir(open.get())) {
    if (entry->d_name[0] != '.') visit(*entry);
    errno = 0;
  }
  if (errno != 0) ThrowUnreadable(folder);
}

}  // namespace

std::uint64_t FileListing::Keep(std::string_view name) {
  assert(name.size() < kChunkBytes);
  if (chunks_.empty() || kChunkBytes - last_chunk_used_ < name.size() + 1) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
    last_chunk_used_ = 0;
  }
  const std::uint64_t place = (chunks_.size() - 1) * kChunkBytes + last_chunk_used_;
  char* kept = chunks_.back().get() + last_chunk_used_;
  std::memcpy(kept, name.data(), name.size());
  kept[name.size()] = 0;
  last_chunk_used_ += name.size() + 1;
  return place;
}

const char* FileListing::NameAt(std::uint64_t place) const {
  return chunks_[place / kChunkBytes].get() + place % kChunkBytes;
}

std::vector<std::uint64_t> FileListing::ReadFolder(const std::string& folder, bool follow_links,
                                                   std::vector<std::string>& sub_folders) {
  std::vector<std::uint64_t> names;
  ForEachEntry(folder, [&](const dirent& entry) {
    const std::string_view name = entry.d_name;
    if (entry.d_type == DT_REG && IsPictureName(name)) {
      names.push_back(Keep(name));
      return;
    }
    if (IsClutter(name)) return;
    std::string path = folder + "/" + std::string(name);
    const mode_t type = TypeOf(entry, path, follow_links);
    if (type == S_IFDIR) {
      sub_folders.push_back(std::move(path));
    } else if (type != S_IFREG && type != 0) {
      left_out_.Add(NameOfType(type));
    } else if (type == S_IFREG && IsPicture(name, path)) {
      names.push_back(Keep(name));
    }
  });
  std::sort(names.begin(), names.end(), [this](std::uint64_t a, std::uint64_t b) {
    return std::strcmp(NameAt(a), NameAt(b)) < 0;
  });
  return names;
}

bool FileListing::IsPicture(std::string_view name, const std::string& path) {
  if (IsPictureName(name) || (!IsAnnotationName(name) && HoldsPicture(path))) return true;
  left_out_.AddFile(name);
  return false;
}

std::uint64_t FileListing::AddFolder(const std::string& folder, bool follow_links) {
  struct Read {
    std::string path;
    std::vector<std::uint64_t> names;
  };
  std::vector<Read> read;
  std::vector<Pending> folders = {Examined(folder, -1)};
  for (std::size_t i = 0; i < folders.size(); ++i) {
    CheckForLoop(folders, folders[i]);
    std::vector<std::string> sub_folders;
    Read here{folders[i].path, ReadFolder(folders[i].path, follow_links, sub_folders)};
    if (!here.names.empty()) read.push_back(std::move(here));
    for (std::string& path : sub_folders) {
      folders.push_back(Examined(std::move(path), static_cast<int>(i)));
    }
  }

  std::sort(read.begin(), read.end(), [](const Read& a, const Read& b) { return a.path < b.path; });
  const std::uint64_t before = size();
  for (Read& one : read) {
    folders_.push_back({one.path + "/", size()});
    names_.insert(names_.end(), one.names.begin(), one.names.end());
    std::vector<std::uint64_t>().swap(one.names);
  }
  return size() - before;
}

void FileListing::AddFile(std::string_view folder, std::string_view name) {
  if (folders_.empty() || folders_.back().prefix != folder) {
    folders_.push_back({std::string(folder), size()});
  }
  names_.push_back(Keep(name));
}

void FileListing::AddNamed(const std::filesystem::path& root, std::string_view path,
                           const std::string& place) {
  if (path.empty() || path.size() >= PATH_MAX) {
    throw Error(ErrorKind::kData,
                place + (path.empty() ? ": the path is empty" : ": the path is too long"),
                "Give the path of a picture.");
  }
  const bool is_below = !path.starts_with('/') && !root.empty();
  AddFile(is_below ? root.string() + "/" : "", path);
}

void FileListing::CheckFrom(std::uint64_t first, const std::filesystem::path& root,
                            const std::string& place) const {
  for (std::uint64_t i = first; i < std::min(size(), first + kLookedUp); ++i) {
    if (::access(path(i).c_str(), F_OK) == 0) return;
  }
  const std::string missing = path(first);
  const std::string begin = root.empty() ? "the working directory" : "'" + root.string() + "'";
  const bool is_below =
      root.empty() ? !missing.starts_with('/') : missing.starts_with(root.string());
  throw Error(
      ErrorKind::kData,
      place + ": '" + missing + "' does not exist" +
          (first + 1 < size() ? ", as the next ones" : ""),
      is_below ? "Paths begin at " + begin + "; `root` gives another folder." : "Check the paths.");
}

std::string FileListing::path(std::uint64_t index) const {
  const auto next =
      std::upper_bound(folders_.begin(), folders_.end(), index,
                       [](std::uint64_t i, const Folder& folder) { return i < folder.first; });
  return std::prev(next)->prefix + NameAt(names_[index]);
}

std::size_t FileListing::bytes() const {
  std::size_t bytes = chunks_.empty() ? 0 : (chunks_.size() - 1) * kChunkBytes + last_chunk_used_;
  bytes += names_.capacity() * sizeof names_[0];
  for (const Folder& folder : folders_) bytes += sizeof folder + folder.prefix.capacity();
  return bytes;
}

}  // namespace weir
