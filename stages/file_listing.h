// The pictures below some folders, in a fixed order: for each folder that is added, by the byte
// order of the path of the sub-folder that they lie in, and there by name (as Keras lists them).
//
// A million files take little: a file costs its name and up to 17 bytes (8 more while its class is
// listed), a sub-folder its path once. Names are kept as bytes, whatever their encoding. Listing
// reads the folders alone: no file is opened, and only links and what the file system gives no type
// for are looked up.
//
// Adding is for one thread; a filled listing is read by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/stage.h"

namespace weir {

// Whether weir reads such files: .jpg, .jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif,
// .heic, .avif, in any case.
bool IsPictureName(std::string_view name);
// The same for messages: ".jpg, .jpeg, ... and .avif".
std::string PictureEndings();

class FileListing {
 public:
  // Adds the pictures below `folder`, however deep, and returns how many. Hidden files and folders
  // (names that begin with a dot) and what is no regular file are passed over; a link to a file
  // counts as a file, a link to a folder is entered if `follow_links`. Throws Error(kData) where a
  // folder cannot be read or a link leads back to a folder that it lies in.
  std::uint64_t AddFolder(const std::string& folder, int label, bool follow_links);

  // Adds one file, whatever its name.
  void AddFile(const std::string& path, int label);

  std::uint64_t size() const { return names_.size(); }
  std::string path(std::uint64_t index) const;
  int label(std::uint64_t index) const;

  std::size_t bytes() const;  // that it holds

 private:
  struct Folder {
    std::string prefix;  // of its files' paths, with the slash
    int label;
    std::uint64_t first;  // of its files
  };

  std::uint64_t Keep(std::string_view name);  // returns its place
  const char* NameAt(std::uint64_t place) const;
  std::vector<std::uint64_t> ReadFolder(const std::string& folder, bool follow_links,
                                        std::vector<std::string>& sub_folders);
  const Folder& FolderOf(std::uint64_t index) const;

  std::vector<std::unique_ptr<char[]>> chunks_;  // names with a zero behind each
  std::size_t last_chunk_used_ = 0;
  std::vector<std::uint64_t> names_;  // where each name is, in the order of the listing
  std::vector<Folder> folders_;
};

// What an opened stage takes for its listing. Throws Error(kMemory) where it does not fit.
Lease LeaseListing(MemoryBudget& budget, std::string_view stage, const Footprint& footprint,
                   std::uint64_t files);

}  // namespace weir
