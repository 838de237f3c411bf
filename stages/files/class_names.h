// How many classes there may be, and how long their names: what a model keeps of them can then be
// read again wherever it is written.
//
// Pure; any thread. Holds one name at a time, and those that are not UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weir {

inline constexpr std::size_t kMostClasses = 65'536;
inline constexpr std::size_t kLongestClassName = std::size_t{4} << 10;      // bytes
inline constexpr std::size_t kMostClassNamesBytes = std::size_t{16} << 20;  // all, as JSON

// Throws Error(kConfig) where a model could not keep these: too many, too long, or two that are one
// once bytes that are not UTF-8 are replaced. The message begins with `key`: "model".
void CheckClassNames(const std::string& key, const std::vector<std::string>& names);

}  // namespace weir
