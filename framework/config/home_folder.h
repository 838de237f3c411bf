// A `~` at the beginning of a path, which shells replace, but not behind `--set key=` or in a file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

namespace weir {

// Gives "~" and "~/x" in the home folder, which $HOME says, and every other path as it is. Gives
// the reason in place of a path, as the end of a sentence, where HOME is not set and for "~user",
// another person's home folder. Any thread, as long as nobody sets the environment.
std::variant<std::filesystem::path, std::string> WithHomeFolder(std::string_view path);

}  // namespace weir
