// What names of files end in, in any case: ASCII letters alone, whatever the locale.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace weir {

inline char LowerCase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string LowerCase(std::string text) {
  for (char& c : text) c = LowerCase(c);
  return text;
}

// `ending` is in lower case.
inline bool HasEnding(std::string_view name, std::string_view ending) {
  return name.size() >= ending.size() &&
         std::equal(ending.begin(), ending.end(), name.end() - ending.size(),
                    [](char expected, char c) { return expected == LowerCase(c); });
}

}  // namespace weir
