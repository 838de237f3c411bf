// Why something could not be written, and what to do about it: one reading of errno for every file
// that weir writes.
//
//   if (::fsync(file) != 0) throw WriteError(path, "cannot be written", errno, "give --out");
//
// Any thread.
#pragma once

#include <filesystem>
#include <string>

#include "framework/error.h"

namespace weir {

// An Error(kData): "PATH: DOING: No space left on device (3 MiB are free)" and advice that fits the
// reason: to free space only where there is none, to look for the folder where it is gone.
// `elsewhere` is how the user says another place, to stand behind "or": "give another disk with
// --out".
Error WriteError(const std::filesystem::path& path, const std::string& doing, int error,
                 const std::string& elsewhere);

}  // namespace weir
