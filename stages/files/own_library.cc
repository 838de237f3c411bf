#include "stages/files/own_library.h"

#include <dlfcn.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "framework/error.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorKind::kConfig, why); }

// Why dlopen or dlsym failed.
std::string LastError() {
  return dlerror();  // NOLINT(concurrency-mt-unsafe): each thread has its own
}

// In the words of dlopen, which leaves no errno.
[[noreturn]] void RefuseToLoad(const std::string& title) {
  const std::string why = LastError();
  const std::string what = "the " + title + " cannot be loaded: " + why;
  const bool lacks_memory = why.ends_with(std::generic_category().message(ENOMEM)) ||
                            why.ends_with("failed to map segment from shared object");
  if (!lacks_memory) Refuse(what);
  throw Error(ErrorKind::kMemory, what + ": there is no memory for it",
              "Free memory on this machine, or raise this process' limits (`ulimit -v`); on a file "
              "system that is mounted noexec it cannot lie, either.");
}

// What the library's initialisers throw ends the process, as where a program is linked to it; it
// does not pass through the dynamic linker.
void* Load(const fs::path& path, int mode) noexcept {
  return dlopen(path.c_str(), mode | RTLD_LOCAL);
}

}  // namespace

std::vector<fs::path> OwnLibraryFolders() {
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  return {folder, folder / "lib", folder.parent_path() / "lib"};
}

fs::path FindOwnLibrary(const std::vector<fs::path>& folders, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / name, ignored)) return folder / name;
  }
  return {};
}

const void* OpenOwnLibrary(const fs::path& path, const OwnLibrary& library) {
  const std::string title = library.title;
  void* handle = Load(path, library.mode);
  if (!handle) RefuseToLoad(title);
  const void* table = dlsym(handle, library.symbol);
  if (!table) Refuse(path.string() + " is not weir's " + title + ": " + LastError());
  const char* build = *static_cast<const char* const*>(table);
  if (std::strcmp(build, library.build) != 0) {
    Refuse(path.string() + " is of another build of weir (interface " + build + ", not " +
           library.build + ")");
  }
  return table;
}

}  // namespace weir
