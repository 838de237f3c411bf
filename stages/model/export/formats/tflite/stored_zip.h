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
// Contents and offset have to be less than 4 GiB (APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16).
std::string StoredZip(std::uint64_t at, std::string_view name, std::string_view contents);

}  // namespace weir
