// Paths as they are printed: what is in a file's name is its maker's choice.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// Control characters as \x1b, so that no name breaks a line or speaks to the terminal; all other
// bytes as they are, however many.
std::string OneLine(std::string_view path);

}  // namespace weir
