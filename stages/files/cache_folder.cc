#include "stages/files/cache_folder.h"

#include <cstdlib>

namespace weir {
namespace {

std::filesystem::path FromEnvironment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment while weir runs
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::filesystem::path CacheFolder() {
  if (auto own = FromEnvironment("WEIR_CACHE"); !own.empty()) return own;
  if (auto xdg = FromEnvironment("XDG_CACHE_HOME"); !xdg.empty()) return xdg / "weir";
  return FromEnvironment("HOME") / ".cache" / "weir";
}

}  // namespace weir
