// The parts of weir that are shared objects of their own, opened when they are needed: what most
// commands do without costs them neither memory nor time.
//
// Such a library exports one symbol, a table that begins with the build that it is of. It stays
// open to the end of the process. Any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir {

// Where they are looked for, in this order: beside the running binary, and in lib/ and ../lib/ from
// there.
std::vector<std::filesystem::path> OwnLibraryFolders();

// The first of `folders` that has it; empty where none has.
std::filesystem::path FindOwnLibrary(const std::vector<std::filesystem::path>& folders,
                                     const std::string& name);

struct OwnLibrary {
  const char* title;   // in messages: "device side"
  const char* symbol;  // the table's name
  const char* build;   // this program's: what the table has to begin with a pointer to
  int mode;            // RTLD_NOW or RTLD_LAZY
};

// Gives the table of the library in `path`. Throws Error(kConfig) where it cannot be loaded, has no
// such symbol or is of another build, and Error(kMemory) where there is no memory for it.
const void* OpenOwnLibrary(const std::filesystem::path& path, const OwnLibrary& library);

}  // namespace weir
