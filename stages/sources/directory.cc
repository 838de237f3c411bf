#include "stages/sources/directory.h"

#include <algorithm>

#include "framework/error.h"
#include "framework/suggestion.h"
#include "stages/sources/class_folders.h"

namespace weir {
namespace {

constexpr const char* kPathKey = "directory.path";
constexpr const char* kValidationKey = "directory.validation";

[[noreturn]] void ThrowNoPictures(const char* key, const std::filesystem::path& folder,
                                  const std::vector<std::string>& classes) {
  throw Error(ErrorKind::kData,
              std::string(key) + ": '" + folder.string() + "' has no pictures of the classes " +
                  Enumerate(classes),
              "Pictures end in " + PictureEndings() + ".");
}

}  // namespace

Directory::Directory(const Params& params, BuildContext& context)
    : ListedSource(kName, context), params_(params) {
  Listing listing{.validation_split = params_.validation_split,
                  .stratified = params_.stratified,
                  .shuffle = params_.shuffle};
  ListClasses(listing);
  if (params_.validation) ListValidation(listing);
  listing.size = files_.size();
  Offer(std::move(listing), context);
}

std::uint64_t Directory::AddClass(const std::filesystem::path& folder,
                                  const std::vector<std::string>& found, int label,
                                  Listing& listing) {
  const std::string& name = listing.classes[label];
  if (!std::binary_search(found.begin(), found.end(), name)) return 0;
  const std::uint64_t size = files_.AddFolder((folder / name).string(), params_.follow_links);
  listing.labels.insert(listing.labels.end(), size, label);
  return size;
}

void Directory::ListClasses(Listing& listing) {
  const std::vector<std::string> found = FindClasses(kPathKey, params_.path);
  if (params_.classes.is_auto()) {
    if (training()) CheckClasses(kPathKey, params_.path, found);
    listing.classes = found;
  } else {
    if (training()) CheckListed(kPathKey, params_.path, params_.classes.value(), found);
    listing.classes = params_.classes.value();
  }
  for (int label = 0; label < static_cast<int>(listing.classes.size()); ++label) {
    if (AddClass(params_.path, found, label, listing) > 0 || !training()) continue;
    const std::string& name = listing.classes[label];
    throw Error(ErrorKind::kData,
                std::string(kPathKey) + ": the class '" + name + "' has no pictures in '" +
                    (params_.path / name).string() + "'",
                "Add some, or remove the folder; pictures end in " + PictureEndings() + ".");
  }
  if (files_.size() == 0) ThrowNoPictures(kPathKey, params_.path, listing.classes);
}

void Directory::ListValidation(Listing& listing) {
  const std::vector<std::string> found = FindClasses(kValidationKey, *params_.validation);
  if (params_.classes.is_auto()) {
    for (const std::string& name : found) {
      if (std::binary_search(listing.classes.begin(), listing.classes.end(), name)) continue;
      throw Error(ErrorKind::kData,
                  std::string(kValidationKey) + ": the class '" + name + "' of '" +
                      params_.validation->string() + "' is not in '" + params_.path.string() + "'",
                  "Add pictures of it to train with, or remove its folder.");
    }
  }
  listing.first_of_validation = files_.size();
  for (int label = 0; label < static_cast<int>(listing.classes.size()); ++label) {
    AddClass(*params_.validation, found, label, listing);
  }
  if (files_.size() == listing.first_of_validation) {
    ThrowNoPictures(kValidationKey, *params_.validation, listing.classes);
  }
}

}  // namespace weir
