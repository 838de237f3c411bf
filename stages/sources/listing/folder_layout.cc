#include "stages/sources/listing/folder_layout.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "framework/error.h"
#include "stages/sources/listing/endings.h"
#include "stages/sources/listing/lookalikes.h"

namespace weir {
namespace {

// Fewer are splits if they have two names in common, more (the folds of a cross-validation) if
// these are as many as they: else a class has two kinds.
constexpr std::size_t kFewSplits = 5;
constexpr std::size_t kMostSplits = 12;
constexpr std::size_t kNamesShown = 5;
constexpr const char* kListThem = " If they are the classes all the same, list them in `classes`.";

// Where the folders of pictures inside a class part: those of "a/1/x" and "a/1/y" do in "a/1/".
struct Inside {
  std::string base;             // below the class' folder, with a slash at its end; empty: there
  std::set<std::string> names;  // the folders there, one level of each; empty: it has pictures
};

Inside InsideOf(const ListedClass& listed, const FileListing& files) {
  Inside inside;
  while (true) {
    const std::string base = listed.folder + "/" + inside.base;
    bool has_pictures = false;
    inside.names.clear();
    for (std::size_t i = listed.first_folder; i < listed.end_folder; ++i) {
      const std::string_view folder = files.folder(i);
      if (!folder.starts_with(base)) continue;
      const std::string_view rest = folder.substr(base.size());
      has_pictures = has_pictures || rest.empty();
      if (!rest.empty()) inside.names.emplace(rest.substr(0, rest.find('/')));
    }
    if (has_pictures || inside.names.size() != 1) return inside;
    inside.base += *inside.names.begin() + "/";
  }
}

// Whether most of the fewer names are among the others too, two at least.
bool AreAlike(const std::set<std::string>& a, const std::set<std::string>& b) {
  const auto in_both = static_cast<std::size_t>(
      std::count_if(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); }));
  return in_both >= 2 && 2 * in_both > std::min(a.size(), b.size());
}

std::string ShownSome(const std::set<std::string>& names) {
  return ShownList(std::vector<std::string>(names.begin(), names.end()), kNamesShown);
}

// A folder that is a split rather than a class.
struct SplitFolder {
  std::string name;
  std::string path;  // the folder that its classes lie in
  std::uint64_t pictures;

  bool IsCalled(std::string_view part) const {
    return LowerCase(name).find(part) != std::string::npos;
  }
};

// The one that is called so, else the one with the most pictures.
std::vector<SplitFolder>::iterator Chosen(std::vector<SplitFolder>& splits, std::string_view part) {
  const auto called = std::find_if(splits.begin(), splits.end(),
                                   [&](const SplitFolder& one) { return one.IsCalled(part); });
  if (called != splits.end()) return called;
  return std::max_element(splits.begin(), splits.end(),
                          [](const auto& a, const auto& b) { return a.pictures < b.pictures; });
}

[[noreturn]] void ThrowSplits(const std::string& start, std::vector<SplitFolder> splits,
                              const std::string& inside) {
  std::vector<std::string> names;
  for (const SplitFolder& split : splits) names.push_back(split.name);
  const auto train = Chosen(splits, "train");
  std::string remedy = "Set `path` to '" + train->path + "'";
  splits.erase(train);
  if (!splits.empty()) remedy += ", and `validation` to '" + Chosen(splits, "val")->path + "'";
  throw Error(ErrorKind::kData,
              start + " holds " + ShownList(names, kNamesShown) +
                  (names.size() == 1 ? ", which is a split, not a class"
                                     : ", which are splits, not classes") +
                  inside,
              remedy + "." + kListThem);
}

void CheckForSplits(const std::string& start, const std::vector<ListedClass>& classes,
                    const std::vector<Inside>& insides) {
  if (classes.size() < 2 || classes.size() > kMostSplits) return;
  const auto fullest = std::max_element(
      insides.begin(), insides.end(),
      [](const Inside& a, const Inside& b) { return a.names.size() < b.names.size(); });
  std::vector<SplitFolder> splits;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (!AreAlike(insides[i].names, fullest->names)) continue;
    std::string path = classes[i].folder + "/" + insides[i].base;
    path.pop_back();
    splits.push_back({classes[i].name, path, classes[i].pictures});
  }
  if (splits.size() < 2 || 2 * splits.size() <= classes.size()) return;
  if (classes.size() > kFewSplits && fullest->names.size() < classes.size()) return;
  ThrowSplits(start, splits, ": each has folders such as " + ShownSome(fullest->names));
}

// Those without folders inside, as Keras' users have them: their names alone tell.
void CheckForNamesOfSplits(const std::string& start, const std::vector<ListedClass>& classes) {
  constexpr std::array<std::string_view, 9> kSplits = {
      "train", "training", "val", "valid", "validation", "test", "testing", "eval", "dev"};
  std::vector<SplitFolder> splits;
  for (const ListedClass& listed : classes) {
    const std::string name = LowerCase(listed.name);
    if (std::find(kSplits.begin(), kSplits.end(), name) == kSplits.end()) return;
    splits.push_back({listed.name, listed.folder, listed.pictures});
  }
  ThrowSplits(start, splits, "");
}

void CheckForItself(const std::string& start, const std::vector<ListedClass>& classes,
                    const std::vector<Inside>& insides) {
  std::set<std::string> names;
  for (const ListedClass& listed : classes) names.insert(listed.name);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (insides[i].names.size() < 2 || !AreAlike(insides[i].names, names)) continue;
    const std::string path = classes[i].folder + "/" + insides[i].base;
    throw Error(ErrorKind::kData,
                start + " holds the set once more in the folder " + Shown(classes[i].name) +
                    ", which has " + ShownSome(insides[i].names) + " inside as well",
                "Set `path` to '" + path.substr(0, path.size() - 1) +
                    "', or move one of the two away." + kListThem);
  }
}

[[noreturn]] void ThrowSingle(const std::string& start, const ListedClass& only,
                              const Inside& inside) {
  if (inside.names.size() < 2) {
    throw Error(ErrorKind::kData, start + " has one class only, " + Shown(only.name),
                "Add a sub-folder for each other class: a classifier needs two at least.");
  }
  const std::string path = only.folder + "/" + inside.base;
  throw Error(ErrorKind::kData,
              start + " has one class only, " + Shown(only.name) + ", with the folders " +
                  ShownSome(inside.names) + " inside",
              "Set `path` to '" + path.substr(0, path.size() - 1) + "' if these are the classes.");
}

}  // namespace

void CheckLayout(const std::string& key, const std::filesystem::path& path,
                 const std::vector<ListedClass>& classes, const FileListing& files) {
  const std::string start = key + ": '" + path.string() + "'";
  std::vector<Inside> insides;
  insides.reserve(classes.size());
  for (const ListedClass& listed : classes) insides.push_back(InsideOf(listed, files));
  CheckForSplits(start, classes, insides);
  CheckForNamesOfSplits(start, classes);
  if (classes.size() == 1) ThrowSingle(start, classes.front(), insides.front());
  CheckForItself(start, classes, insides);
}

}  // namespace weir
