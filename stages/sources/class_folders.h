// Which classes a folder of pictures has: one a sub-folder, named after it, as Keras'
// flow_from_directory and PyTorch's ImageFolder have it.
//
// `key` is how messages call the folder: "directory.path". All of this throws Error(kData), reads
// the folder alone and keeps nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir {

// Throws where there is no such folder; suggests a neighbour of a similar name.
void CheckFolder(const std::string& key, const std::filesystem::path& folder);

// The names of the sub-folders, hidden ones left out, in byte order, which gives the labels. Links
// to folders count. Throws where there are none; files beside sub-folders are passed over.
std::vector<std::string> FindClasses(const std::string& key, const std::filesystem::path& folder);

// Throws where `found` can be no classes of a training set: a single one, or the folders of its
// splits.
void CheckClasses(const std::string& key, const std::filesystem::path& folder,
                  const std::vector<std::string>& found);

// Throws where one of `listed` is not among `found`.
void CheckListed(const std::string& key, const std::filesystem::path& folder,
                 const std::vector<std::string>& listed, const std::vector<std::string>& found);

}  // namespace weir
