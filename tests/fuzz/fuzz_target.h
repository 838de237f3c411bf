// A reader under libFuzzer. Each <format>_fuzz.cc says what mutation begins with and how bytes are
// read; fuzz_target.cc does the rest. CMakeLists.txt has the list of them.
//
// What counts as a finding: a crash, a report of a sanitizer, a read that takes seconds or
// gigabytes, and any exception but Error, which is how a reader refuses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Whole files of the format, small ones; may throw where they cannot be made.
std::vector<std::string> FuzzSeeds();

// Reads `bytes` as far as they go. Throws Error where they are refused.
void FuzzRead(std::string_view bytes);

}  // namespace weir
