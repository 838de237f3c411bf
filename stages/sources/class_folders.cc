#include "stages/sources/class_folders.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <system_error>

#include "framework/error.h"
#include "framework/suggestion.h"
#include "stages/sources/file_listing.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOneFolderAClass =
    "weir expects one sub-folder for each class, named after it, with its pictures inside.";

std::string Quoted(const std::string& text) { return "'" + text + "'"; }

std::string QuotedList(std::vector<std::string> names) {
  for (std::string& name : names) name = Quoted(name);
  return Enumerate(names);
}

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
    if (name.starts_with('.')) continue;
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
  const std::optional<std::string> meant = Suggest(wrong.filename().string(), Read(shown).folders);
  if (!meant) return "The nearest folder that exists is " + Quoted(shown.string()) + ".";
  const fs::path rest = missing.lexically_relative(wrong);
  const fs::path suggested = parent / *meant / (rest == "." ? fs::path() : rest);
  return "Did you mean " + Quoted((rest == "." ? parent / *meant : suggested).string()) + "?";
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

std::vector<std::string> FindClasses(const std::string& key, const fs::path& folder) {
  CheckFolder(key, folder);
  Entries entries = Read(folder);
  if (entries.folders.empty()) {
    const std::string pictures = entries.pictures == 0
                                     ? ""
                                     : "; it holds " + std::to_string(entries.pictures) +
                                           (entries.pictures == 1 ? " picture" : " pictures");
    throw Error(ErrorKind::kData,
                key + ": " + Quoted(folder.string()) + " has no sub-folders" + pictures,
                kOneFolderAClass);
  }
  return std::move(entries.folders);
}

void CheckClasses(const std::string& key, const fs::path& folder,
                  const std::vector<std::string>& found) {
  constexpr std::array<std::string_view, 7> kSplits = {"train", "training",   "val", "valid",
                                                       "test",  "validation", "eval"};
  if (std::all_of(found.begin(), found.end(), [&](const std::string& name) {
        return std::find(kSplits.begin(), kSplits.end(), name) != kSplits.end();
      })) {
    const auto train = std::find_if(found.begin(), found.end(), [](const std::string& name) {
      return name.starts_with("train");
    });
    const std::string chosen = train == found.end() ? found.front() : *train;
    throw Error(ErrorKind::kData,
                key + ": " + Quoted(folder.string()) + " holds " + QuotedList(found) +
                    ", which are splits, not classes",
                "Set `path` to " + Quoted((folder / chosen).string()) +
                    ", and `validation` to the folder to validate with.");
  }
  if (found.size() == 1) {
    throw Error(
        ErrorKind::kData,
        key + ": " + Quoted(folder.string()) + " has one class only, " + Quoted(found.front()),
        "Add a sub-folder for each other class: a classifier needs two at least.");
  }
}

void CheckListed(const std::string& key, const fs::path& folder,
                 const std::vector<std::string>& listed, const std::vector<std::string>& found) {
  for (const std::string& name : listed) {
    if (std::find(found.begin(), found.end(), name) != found.end()) continue;
    const std::optional<std::string> meant = Suggest(name, found);
    constexpr std::size_t kShown = 10;
    std::vector<std::string> shown(found.begin(), found.begin() + std::min(found.size(), kShown));
    throw Error(ErrorKind::kData,
                "directory.classes: " + Quoted(name) + " has no folder in " + key + ", " +
                    Quoted(folder.string()),
                meant ? "Did you mean " + Quoted(*meant) + "?"
                      : "There " + std::string(found.size() == 1 ? "is " : "are ") +
                            QuotedList(std::move(shown)) +
                            (found.size() > kShown
                                 ? " and " + std::to_string(found.size() - kShown) + " more."
                                 : "."));
  }
}

}  // namespace weir
