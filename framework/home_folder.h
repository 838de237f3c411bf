// A `~` at the beginning of a path, which shells replace, but not behind `--set key=` or in a file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

namespace weir {

// "~" and "~/x" in the home folder, which $HOME says; every other path as it is. Or why there is
// none, as the end of a sentence on the path: of "~user", another person's.
std::variant<std::filesystem::path, std::string> WithHomeFolder(std::string_view path);

}  // namespace weir
