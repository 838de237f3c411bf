// What stands where weights should be, told by its first bytes or by a zip's entries: a web page, a
// Git LFS pointer, another format. The messages say what to do about each.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "stages/model/weights/weights_format.h"

namespace weir {

struct ForeignKind {
  std::string is;      // "is a web page"
  std::string remedy;  // what to do about it
};

// What a text is that stands where weights should be: a web page, a pointer, a server's error.
// Empty for a file that is no text.
std::optional<ForeignKind> FindForeignText(std::span<const std::byte> file);

// Throws Error(kData), always: the file is in no format of weights that is read.
[[noreturn]] void RefuseForeignFile(const WeightsContent& content);

// Throws Error(kData) where the zip holds no pickle of torch.save's, or a program beside it.
void RefuseForeignZip(const std::filesystem::path& path, const ZipDirectory& zip);

}  // namespace weir
