#include "stages/files/class_names.h"

#include <map>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "stages/files/bounded_json.h"

namespace weir {
namespace {

[[noreturn]] void Refuse(const std::string& what, const std::string& remedy) {
  throw Error(ErrorKind::kConfig, what, remedy);
}

// Only a name that is not UTF-8 can become another's, or what another is already.
void CheckDistinct(const std::string& key, const std::vector<std::string>& names) {
  const std::string remedy = "Rename them: folders and tables give names in UTF-8.";
  std::map<std::string, std::size_t> replaced;  // and which it was
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string text = ToUtf8(names[i]);
    if (text == names[i]) continue;
    const auto [other, is_new] = replaced.emplace(std::move(text), i);
    if (is_new) continue;
    Refuse(key + ": the names of the classes " + std::to_string(other->second + 1) + " and " +
               std::to_string(i + 1) + " are not UTF-8, and '" + other->first +
               "' is what is left of both",
           remedy);
  }
  for (std::size_t i = 0; i < names.size() && !replaced.empty(); ++i) {
    const auto other = replaced.find(names[i]);
    if (other == replaced.end()) continue;
    Refuse(key + ": the name of class " + std::to_string(other->second + 1) +
               " is not UTF-8, and what is left of it is the name of class " +
               std::to_string(i + 1) + ", '" + names[i] + "'",
           remedy);
  }
}

}  // namespace

void CheckClassNames(const std::string& key, const std::vector<std::string>& names) {
  if (names.size() > kMostClasses) {
    Refuse(key + ": " + std::to_string(names.size()) + " classes are more than the " +
               std::to_string(kMostClasses) + " that a model may have",
           "Are the labels read from the right place?");
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].size() > kLongestClassName) {
      Refuse(key + ": the name of class " + std::to_string(i + 1) + " is longer than 4 KiB",
             "Give it a shorter one.");
    }
    bytes += QuotedJson(names[i]).size();
  }
  if (bytes > kMostClassNamesBytes) {
    Refuse(key + ": the names of the " + std::to_string(names.size()) + " classes take " +
               ToRoundText(ByteSize{bytes}) + " as JSON, and a model keeps " +
               ToRoundText(ByteSize{kMostClassNamesBytes}) + " of them",
           "Give the classes shorter names.");
  }
  CheckDistinct(key, names);
}

}  // namespace weir
