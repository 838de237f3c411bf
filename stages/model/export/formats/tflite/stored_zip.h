// A zip archive of one file, which is stored as it is: what stands at the end of another file for
// readers that look for the archive there.
//
// Pure; any thread. Holds the contents twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// The archive whose first byte lies `at` in the file; with the same contents it is always the same.
std::string StoredZip(std::uint64_t at, const std::string& name, std::string_view contents);

}  // namespace weir
