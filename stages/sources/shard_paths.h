// Which tar shards a path means.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Whether it ends as shards do: .tar, .tar.gz, .tgz.
bool IsShardName(std::string_view name);

// The shards that `path` means: itself, the tar files in a folder, by name, or all of a range,
// "photos-{000000..000003}.tar". Throws Error(kData), which begins with `key`, where there are
// none.
std::vector<std::string> ShardsOf(const std::string& key, const std::filesystem::path& path);

}  // namespace weir
