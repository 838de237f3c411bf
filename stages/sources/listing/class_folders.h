// Which classes a folder of pictures has: one a sub-folder, named after it, as Keras'
// flow_from_directory and PyTorch's ImageFolder have it.
//
// `key` is how messages call the folder: "directory.path". All of this throws Error(kData), reads
// the folder alone and keeps nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Throws where there is no such folder; suggests a neighbour of a similar name.
void CheckFolder(const std::string& key, const std::filesystem::path& folder);

struct ClassFolders {
  // In byte order, which gives the labels. Where two folders have the same name in NFC and NFD
  // (lookalikes.h) they are one class, called as the first of them.
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::string>, std::less<>> by_composed_name;
  std::uint64_t loose_pictures = 0;  // beside them, of no class

  // The folders of a class, in whichever form its name is; none where it has none.
  const std::vector<std::string>& FoldersOf(std::string_view name) const;
};

// The sub-folders, clutter left out. Links to folders count. Throws where there are none.
ClassFolders FindClasses(const std::string& key, const std::filesystem::path& folder);

// Throws where one of `listed` is not among `found`.
void CheckListed(const std::string& key, const std::filesystem::path& folder,
                 const std::vector<std::string>& listed, const ClassFolders& found);

}  // namespace weir
