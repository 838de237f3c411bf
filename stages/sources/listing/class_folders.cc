#include "stages/sources/listing/class_folders.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "framework/error.h"
#include "stages/sources/listing/lookalikes.h"
#include "stages/sources/listing/picture_names.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOneFolderAClass =
    "weir expects one sub-folder for each class, named after it, with its pictures inside.";

std::string Quoted(const std::string& text) { return "'" + text + "'"; }

struct Entries {
  std::vector<std::string> folders;  // sorted
  std::uint64_t pictures = 0;
};

Entries Read(const fs::path& folder) {
  Entries entries;
  std::error_code error;
  fs::directory_iterator next(folder, error);
  for (; !error && next != fs::directory_iterator(); next.increment(error)) {
    const std::string name = next->path().filename().string();
    std::error_code unknown;  // a broken link is no folder
    if (IsClutter(name)) continue;
    if (next->is_directory(unknown)) {
      entries.folders.push_back(name);
    } else if (IsPictureName(name)) {
      ++entries.pictures;
    }
  }
  if (error) {
    throw Error(ErrorKind::kData,
                "the folder " + Quoted(folder.string()) + " cannot be read: " + error.message(),
                "Give this user the right to read it, or leave it out.");
  }
  std::sort(entries.folders.begin(), entries.folders.end());
  return entries;
}

// The sub-folders of a folder that is looked into for an error's remedy; none where it cannot be
// read.
std::vector<std::string> FoldersIn(const fs::path& folder) {
  try {
    return Read(folder).folders;
  } catch (const Error&) {
    return {};
  }
}

// What to do about a path that does not exist.
std::string RemedyForMissing(const fs::path& missing) {
  std::error_code error;
  fs::path wrong = missing.has_filename() ? missing : missing.parent_path();
  fs::path parent = wrong.parent_path();
  while (!parent.empty() && parent != wrong && !fs::exists(parent, error)) {
    wrong = parent;
    parent = wrong.parent_path();
  }
  const fs::path shown = parent.empty() ? fs::current_path(error) : parent;
  if (!fs::is_directory(shown, error)) return Quoted(shown.string()) + " is not a folder.";
  const std::string name = wrong.filename().string();
  const std::optional<std::string> meant = MeantClass(name, FoldersIn(shown));
  if (!meant) return "The nearest folder that exists is " + Quoted(shown.string()) + ".";
  const fs::path rest = missing.lexically_relative(wrong);
  const fs::path suggested = rest == "." ? parent / *meant : parent / *meant / rest;
  const std::string_view difference = DifferenceOf(name, *meant);
  return "Did you mean " + Shown(suggested.string()) + "?" +
         (Composed(name) == Composed(*meant)
              ? " The names look alike and are written in two forms of Unicode (NFC and NFD)."
          : difference.empty() ? ""
                               : " The names differ " + std::string(difference) + ".");
}

// "a/b/" and "a/b" lie in "a"; a relative path of one name lies in the working directory.
fs::path Parent(const fs::path& folder) {
  std::error_code error;
  const fs::path whole = fs::absolute(folder, error).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).parent_path();
}

// Whether a folder is one of classes: each of its sub-folders, of which there are two at least, has
// pictures in it. An error's remedy asks that, so what cannot be read is none.
bool HoldsOnlyClasses(const fs::path& folder) {
  try {
    const std::vector<std::string> inside = Read(folder).folders;
    return inside.size() >= 2 && std::all_of(inside.begin(), inside.end(), [&](const auto& name) {
             return Read(folder / name).pictures > 0;
           });
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void CheckFolder(const std::string& key, const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorKind::kData, key + ": " + Quoted(folder.string()) + " does not exist",
                RemedyForMissing(folder));
  }
  if (!error && !fs::is_directory(status)) {
    throw Error(ErrorKind::kData, key + ": " + Quoted(folder.string()) + " is not a folder",
                kOneFolderAClass);
  }
}

ClassFolders FindClasses(const std::string& key, const fs::path& folder) {
  CheckFolder(key, folder);
  Entries entries = Read(folder);
  if (entries.folders.empty()) {
    const std::string pictures = entries.pictures == 0
                                     ? ""
                                     : "; it holds " + std::to_string(entries.pictures) +
                                           (entries.pictures == 1 ? " picture" : " pictures");
    const bool is_class = entries.pictures > 0 && HoldsOnlyClasses(Parent(folder));
    throw Error(ErrorKind::kData,
                key + ": " + Quoted(folder.string()) + " has no sub-folders" + pictures,
                is_class ? "If it is a class, give the folder that it lies in: " +
                               Quoted(Parent(folder).string()) + "."
                         : kOneFolderAClass);
  }
  ClassFolders found;
  found.loose_pictures = entries.pictures;
  for (std::string& name : entries.folders) {
    std::vector<std::string>& forms = found.by_composed_name[Composed(name)];
    if (forms.empty()) found.names.push_back(name);
    forms.push_back(std::move(name));
  }
  return found;
}

const std::vector<std::string>& ClassFolders::FoldersOf(std::string_view name) const {
  static const std::vector<std::string> none;
  const auto found = by_composed_name.find(Composed(name));
  return found == by_composed_name.end() ? none : found->second;
}

void CheckListed(const std::string& key, const fs::path& folder,
                 const std::vector<std::string>& listed, const ClassFolders& found) {
  for (const std::string& name : listed) {
    if (!found.FoldersOf(name).empty()) continue;
    const std::string remedy = RemedyForClass(name, found.names);
    throw Error(ErrorKind::kData,
                "directory.classes: " + Shown(name) + " has no folder in " + key + ", " +
                    Quoted(folder.string()),
                !remedy.empty() ? remedy
                                : "There " + std::string(found.names.size() == 1 ? "is " : "are ") +
                                      ShownList(found.names) + ".");
  }
}

}  // namespace weir
