#include "stages/train/torch/torch_library.h"

#include <dlfcn.h>

#include <atomic>
#include <string>

#include "framework/error.h"
#include "stages/files/own_library.h"
#include "stages/train/torch/torch_build.h"

namespace weir {
namespace {

constexpr const char* kLibraryName = "libweir_torch.so";

std::atomic<const TorchLibrary*> opened = nullptr;

const TorchLibrary* Open() try {
  const std::filesystem::path path = FindOwnLibrary(OwnLibraryFolders(), kLibraryName);
  if (path.empty()) {
    throw Error(ErrorKind::kConfig, "there is no " + std::string(kLibraryName) +
                                        " beside this weir, which learns with it");
  }
  // LibTorch is linked to functions by the ten thousand, of which few are called.
  const auto* library =
      static_cast<const TorchLibrary*>(OpenOwnLibrary(path, {.title = "training side",
                                                             .symbol = kTorchLibrarySymbol,
                                                             .build = WEIR_TORCH_BUILD,
                                                             .mode = RTLD_LAZY}));
  opened = library;
  return library;
} catch (const Error& error) {
  if (!error.remedy().empty()) throw;
  throw Error(error.kind(), error.what(),
              "Put the " + std::string(kLibraryName) +
                  " that was built with this weir beside it, or install weir anew.");
}

}  // namespace

const TorchLibrary& OpenTorchLibrary() {
  static const TorchLibrary* const library = Open();
  return *library;
}

void TrimTorchMemory() {
  if (const TorchLibrary* library = opened) library->trim();
}

}  // namespace weir
