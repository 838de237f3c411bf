// Which tar shards a path means.
//
// Limits: a million shards a path, whose names take 64 MiB together at most. Memory: the names of a
// folder's shards; those of a range are made one after the other. Any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace weir {

// Whether it ends as shards do: .tar, .tar.gz, .tgz.
bool IsShardName(std::string_view name);

// Whether `folder` holds shards and no folders.
bool HoldsShards(const std::filesystem::path& folder);

// Calls `visit` for the shards that `path` means: itself, the tar files in a folder, by name, or
// all of a range, "photos-{000000..000003}.tar", or of a list, "{ants,bees}.tar". Of addresses on
// servers it means the address itself, a range or a list. Throws
// Error(kData), which begins with `key`, where there are none, or too many: before the first is
// visited.
void ForEachShard(const std::string& key, const std::filesystem::path& path,
                  const std::function<void(const std::string& shard)>& visit);

}  // namespace weir
