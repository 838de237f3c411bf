// Whether the sub-folders of a training set are its classes. People point one level too high, where
// the splits lie (training_set, test_set), or at a set that holds itself once more (Kaggle's
// flowers/flowers). Both show in the names of the folders inside, in any language: splits have the
// same ones, and of a set in itself they are those beside it.
//
// Pure functions over a listing; any thread. They hold the names of the folders inside each class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "stages/sources/listing/file_listing.h"

namespace weir {

// What was listed of a folder that is taken for a class.
struct ListedClass {
  std::string name;
  std::string folder;
  std::size_t first_folder = 0;  // among the listing's, up to end_folder
  std::size_t end_folder = 0;
  std::uint64_t pictures = 0;
};

// Throws Error(kData) where they are no classes: a single one, the splits of a set, or one in which
// the others lie once more. `key` is how the message calls `path`.
void CheckLayout(const std::string& key, const std::filesystem::path& path,
                 const std::vector<ListedClass>& classes, const FileListing& files);

}  // namespace weir
