#include "framework/config/home_folder.h"

#include <cstdlib>

#include "framework/config/yaml_source.h"
#include "framework/text.h"

namespace weir {

std::variant<std::filesystem::path, std::string> WithHomeFolder(std::string_view path) {
  if (!path.starts_with('~')) return std::filesystem::path(path);
  const std::string_view user = path.substr(0, path.find('/'));
  if (user.size() > 1) {
    return "the home folder " + InBackticks(user) + " is not looked up: write it out (or ./" +
           std::string(user) + " for a file of that name)";
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment while weir runs
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    return std::string("`~` has no meaning, as HOME is not set");
  }
  return std::filesystem::path(std::string(home) + std::string(path.substr(1)));
}

}  // namespace weir
