// Whether a path is the address of something elsewhere, "https://host/a.tar": such a one lies in no
// folder, and is not made absolute (RFC 3986, section 3.1: what a scheme is). Pure; any thread.
#pragma once

#include <algorithm>
#include <string_view>

namespace weir {

inline bool IsAddress(std::string_view path) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const std::size_t end = path.find("://");
  if (end == std::string_view::npos || end == 0 || !is_letter(path[0])) return false;
  const std::string_view scheme = path.substr(0, end);
  return std::all_of(scheme.begin(), scheme.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

}  // namespace weir
