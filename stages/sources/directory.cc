#include "stages/sources/directory.h"

#include <algorithm>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "stages/sources/listing/lookalikes.h"
#include "stages/sources/listing/picture_names.h"

namespace weir {
namespace {

constexpr const char* kPathKey = "directory.path";
constexpr const char* kValidationKey = "directory.validation";

// The sub-folders of `folder` that have a folder of one of the classes; the first hundred of both
// are looked at, as this is for a message.
std::vector<std::string> FoldersWithClasses(const std::filesystem::path& folder,
                                            const ClassFolders& found,
                                            const std::vector<std::string>& classes) {
  constexpr std::size_t kMost = 100;
  std::vector<std::string> folders;
  for (const std::string& name :
       std::span(found.names).first(std::min(found.names.size(), kMost))) {
    const auto some = std::span(classes).first(std::min(classes.size(), kMost));
    if (std::any_of(some.begin(), some.end(), [&](const std::string& inside) {
          std::error_code error;
          return std::filesystem::is_directory(folder / name / inside, error);
        })) {
      folders.push_back((folder / name).string());
    }
  }
  return folders;
}

std::set<std::string> ComposedNames(const std::vector<std::string>& names) {
  std::set<std::string> composed;
  for (const std::string& name : names) composed.insert(Composed(name));
  return composed;
}

[[noreturn]] void ThrowNoPictures(const char* key, const std::filesystem::path& folder,
                                  const ClassFolders& found,
                                  const std::vector<std::string>& classes) {
  const std::vector<std::string> below = FoldersWithClasses(folder, found, classes);
  throw Error(ErrorKind::kData,
              std::string(key) + ": '" + folder.string() + "' has no pictures of the classes " +
                  ShownList(classes),
              !below.empty() ? "Did you mean '" + below.front() + "'?"
                             : "Pictures end in " + PictureEndings() + ".");
}

[[noreturn]] void ThrowEmptyClass(const ListedClass& listed) {
  FileListing files;
  files.AddFolder(listed.folder, false);
  const LeftOut& others = files.left_out();
  throw Error(ErrorKind::kData,
              std::string(kPathKey) + ": the class " + Shown(listed.name) +
                  " has no pictures in '" + listed.folder + "'" +
                  (others.empty() ? "" : ", but " + others.Kinds()),
              "Add some, or remove the folder; pictures end in " + PictureEndings() + ".");
}

}  // namespace

DataReading<Directory::Params> Directory::Reads() {
  return {.use = DataUse::kLabelled,
          .fit = [](const std::filesystem::path&) { return DataFit::kAny; },
          .parameter = "path",
          .member = &Params::path,
          .kept = {"follow_links"}};
}

Directory::Directory(Params params, BuildContext& context)
    : ListedSource(kName, context), params_(std::move(params)) {
  Listing listing{.validation_split = params_.validation_split,
                  .stratified = params_.stratified,
                  .shuffle = params_.shuffle,
                  .roots = {params_.path}};
  ListClasses(listing);
  if (params_.validation) {
    listing.roots.push_back(*params_.validation);
    ListValidation(listing);
  }
  listing.size = files_.size();
  listing.notes.left_out.Add(files_.left_out());
  params_.classes = Auto<std::vector<std::string>>();  // they are held once, among the resources
  Offer(std::move(listing), context);
}

ListedClass Directory::AddClass(const std::filesystem::path& folder, const ClassFolders& found,
                                int label, Listing& listing) {
  const std::string& name = listing.classes[label];
  const std::vector<std::string>& forms = found.FoldersOf(name);
  ListedClass listed{.name = name,
                     .folder = (folder / (forms.empty() ? name : forms.front())).string(),
                     .first_folder = files_.folders()};
  for (const std::string& form : forms) {
    listed.pictures += files_.AddFolder((folder / form).string(), params_.follow_links);
  }
  listed.end_folder = files_.folders();
  listing.labels.insert(listing.labels.end(), listed.pictures, label);
  return listed;
}

void Directory::ListClasses(Listing& listing) {
  const ClassFolders found = FindClasses(kPathKey, params_.path);
  const bool are_given = !params_.classes.is_auto();
  if (are_given && training()) CheckListed(kPathKey, params_.path, params_.classes.value(), found);
  listing.classes = are_given ? params_.classes.value() : found.names;
  std::vector<ListedClass> classes;
  for (int label = 0; label < static_cast<int>(listing.classes.size()); ++label) {
    classes.push_back(AddClass(params_.path, found, label, listing));
  }
  NoteOthers(kPathKey, params_.path, found, listing);
  if (training()) {
    if (!are_given) CheckLayout(kPathKey, params_.path, classes, files_);
    for (const ListedClass& listed : classes) {
      if (listed.pictures == 0) ThrowEmptyClass(listed);
    }
  }
  if (files_.size() == 0) ThrowNoPictures(kPathKey, params_.path, found, listing.classes);
}

void Directory::ListValidation(Listing& listing) {
  const std::filesystem::path& folder = *params_.validation;
  const ClassFolders found = FindClasses(kValidationKey, folder);
  NoteOthers(kValidationKey, folder, found, listing);
  listing.first_of_validation = files_.size();
  std::vector<std::string> absent;
  std::size_t listed = 0;
  for (int label = 0; label < static_cast<int>(listing.classes.size()); ++label) {
    if (AddClass(folder, found, label, listing).pictures == 0) {
      absent.push_back(listing.classes[label]);
    }
    listed += !found.FoldersOf(listing.classes[label]).empty();
  }
  if (params_.classes.is_auto() && listed < found.names.size()) {
    ThrowUnknown(found, listing.classes);
  }
  if (files_.size() == listing.first_of_validation) {
    ThrowNoPictures(kValidationKey, folder, found, listing.classes);
  }
  if (!absent.empty() && training()) {
    listing.notes.notes.push_back(std::string(kValidationKey) + ": '" + folder.string() +
                                  "' has no pictures of " + ShownList(absent));
  }
}

void Directory::ThrowUnknown(const ClassFolders& found,
                             const std::vector<std::string>& classes) const {
  const std::set<std::string> known = ComposedNames(classes);
  std::vector<std::string> unknown;
  for (const auto& [name, forms] : found.by_composed_name) {
    if (!known.contains(name)) unknown.push_back(forms.front());
  }
  std::string remedy = RemedyForClass(unknown.front(), classes);
  if (unknown.size() == found.names.size()) {  // a level too high?
    for (const std::string& below : FoldersWithClasses(*params_.validation, found, classes)) {
      std::error_code error;
      if (std::filesystem::equivalent(below, params_.path, error)) continue;
      remedy = "Did you mean '" + below + "'?";
      break;
    }
  }
  throw Error(ErrorKind::kData,
              std::string(kValidationKey) + ": the class " + Shown(unknown.front()) + " of '" +
                  params_.validation->string() + "' is not in '" + params_.path.string() + "'",
              remedy.empty() ? "Add pictures of it to train with, or remove its folder." : remedy);
}

void Directory::NoteOthers(const char* key, const std::filesystem::path& folder,
                           const ClassFolders& found, Listing& listing) const {
  listing.notes.left_out.Add("beside the class folders", found.loose_pictures);
  if (params_.classes.is_auto() || !training()) return;
  const std::set<std::string> known = ComposedNames(listing.classes);
  std::vector<std::string> others;
  for (const auto& [name, forms] : found.by_composed_name) {
    if (!known.contains(name)) others.push_back(forms.front());
  }
  if (others.empty()) return;
  listing.notes.notes.push_back(std::string(key) + ": '" + folder.string() +
                                "' has folders that `classes` leaves out: " + ShownList(others));
}

}  // namespace weir
