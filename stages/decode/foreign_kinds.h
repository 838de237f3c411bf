// What a file is that weir does not read, told by its first bytes: for the words of a Drop.
//
// Any thread; 512 bytes are read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stages/files/file_bytes.h"

namespace weir {

// "is HEIF (HEIC or AVIF), which weir does not read"; empty where the kind is not known either.
std::optional<std::string> NameForeignKind(const FileBytes& file);

// What the names of pictures end in that weir does not read: ".heic". They count as pictures all
// the same, so that each of them is dropped by name.
std::span<const std::string_view> ForeignEndings();

}  // namespace weir
