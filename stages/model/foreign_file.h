// What stands where weights should be, told by its first bytes or by a zip's entries: a web page, a
// Git LFS pointer, another format. The messages say what to do about each.
//
// Pure functions but for the exception; any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "stages/model/zip_directory.h"

namespace weir {

// Throws Error(kData), always. `file` is in no format of weights that is read.
[[noreturn]] void RefuseForeignFile(const std::filesystem::path& path,
                                    std::span<const std::byte> file);

// Throws Error(kData) where the zip was written by something else than torch.save.
void RefuseForeignZip(const std::filesystem::path& path, const ZipDirectory& zip);

}  // namespace weir
