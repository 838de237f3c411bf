// Text -> YamlNode. yaml-cpp reads the syntax; this adds what it lets pass: duplicate keys, bytes
// that are not text, aliases that multiply, more than one document.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "framework/config/yaml_node.h"
#include "framework/config/yaml_source.h"

namespace weir {

inline constexpr std::size_t kLargestConfigBytes = 1 << 20;
inline constexpr std::size_t kDeepestConfig = 100;           // values inside one another
inline constexpr std::size_t kMostExpandedValues = 100'000;  // with every alias written out

// Reads `source` from byte `from` of its text, which lies in its first line. What is wrong goes to
// `problems`; the node is then as much as was understood. Text without a value is null. A merge key
// `<<` takes the keys of the maps it names that are not there already.
YamlNode ParseYaml(std::shared_ptr<const YamlSource> source, Problems& problems,
                   std::size_t from = 0);

// Reads a file; relative paths in it are relative to its folder. An empty file is a problem.
// Reads kLargestConfigBytes at most.
YamlNode ReadYaml(const std::filesystem::path& path, Problems& problems);

}  // namespace weir
