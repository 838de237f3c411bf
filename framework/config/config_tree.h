// A configuration that is a tree already, in whatever way it was made.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "framework/config/config.h"

namespace weir {

// What LoadConfig makes of what it read from `path`, after which the configuration is called where
// it does not say how.
Config ConfigOf(YamlNode tree, const std::filesystem::path& path,
                std::span<const std::string> overrides, std::span<const std::string> sections,
                Problems& problems);

}  // namespace weir
