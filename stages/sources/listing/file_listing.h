// The paths of pictures in a fixed order: of each folder that is added, by the byte order of the
// path of the sub-folder that they lie in, and there by name (as Keras lists them).
//
// What is a picture, its ending says; a file of another ending is one if it begins as pictures do.
// What is none is counted (left_out.h).
//
// A million files take little: a file costs its name and up to 17 bytes (8 more while its folder is
// listed), a sub-folder its path once. Names are kept as bytes, whatever their encoding. Listing
// reads the folders alone: no file that ends as pictures or annotations do is opened, and only
// links and what the file system gives no type for are looked up.
//
// Adding is for one thread; a filled listing is read by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stages/sources/listing/left_out.h"

namespace weir {

class FileListing {
 public:
  // Adds the pictures below `folder`, however deep, and returns how many. Clutter (hidden files and
  // folders, and what systems leave behind) is passed over; a link to a file counts as a file, a
  // link to a folder is entered if `follow_links`. Throws Error(kData) where a folder cannot be
  // read or a link leads back to a folder that it lies in.
  std::uint64_t AddFolder(const std::string& folder, bool follow_links);

  // Adds one file, whatever its name, of less than PATH_MAX. Files that are added one after the
  // other with the same `folder` share it; it is empty, or ends in a slash, and the name may have
  // slashes too.
  void AddFile(std::string_view folder, std::string_view name);

  // Adds the file at `path`, as a text names it: relative to `root`, or absolute. Throws
  // Error(kData), which begins with `place`, where it can be no path.
  void AddNamed(const std::filesystem::path& root, std::string_view path, const std::string& place);
  // The same where of the files from `first` on, which stands at `place`, none of ten exists: is
  // `root` the right one?
  void CheckFrom(std::uint64_t first, const std::filesystem::path& root,
                 const std::string& place) const;

  std::uint64_t size() const { return names_.size(); }
  std::string path(std::uint64_t index) const;

  // What was found in folders and not added.
  const LeftOut& left_out() const { return left_out_; }

  // The folders that files were added from, in the order of the listing, with a slash at the end.
  std::size_t folders() const { return folders_.size(); }
  const std::string& folder(std::size_t place) const { return folders_[place].prefix; }

  std::size_t bytes() const;  // what it holds

 private:
  struct Folder {
    std::string prefix;   // how its files' paths begin, with the slash
    std::uint64_t first;  // the index of its first file
  };

  std::uint64_t Keep(std::string_view name);  // returns its place
  const char* NameAt(std::uint64_t place) const;
  std::vector<std::uint64_t> ReadFolder(const std::string& folder, bool follow_links,
                                        std::vector<std::string>& sub_folders);
  bool IsPicture(std::string_view name, const std::string& path);

  std::vector<std::unique_ptr<char[]>> chunks_;  // names with a zero behind each
  std::size_t last_chunk_used_ = 0;
  std::vector<std::uint64_t> names_;  // where each name is, in the order of the listing
  std::vector<Folder> folders_;
  LeftOut left_out_;
};

}  // namespace weir
