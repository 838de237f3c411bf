#include "stages/sources/shard_paths.h"

#include <algorithm>
#include <cstdint>
#include <system_error>

#include "framework/error.h"
#include "stages/sources/endings.h"
#include "stages/sources/whole_number.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostShards = 1'000'000;

// The texts that stand for "000..012" or "a,b".
std::vector<std::string> Alternatives(const std::string& inside) {
  const std::size_t dots = inside.find("..");
  if (dots != std::string::npos) {
    const std::string low = inside.substr(0, dots), high = inside.substr(dots + 2);
    const auto first = WholeNumber(low), last = WholeNumber(high);
    if (!first || !last || *last < *first || *last - *first >= kMostShards) return {};
    std::vector<std::string> all;
    for (std::uint64_t number = *first; number <= *last; ++number) {
      const std::string digits = std::to_string(number);
      const std::size_t width = low.starts_with('0') ? low.size() : 0;
      all.push_back(std::string(width - std::min(width, digits.size()), '0') + digits);
    }
    return all;
  }
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin <= inside.size();) {
    const std::size_t comma = std::min(inside.find(',', begin), inside.size());
    all.push_back(inside.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return all;
}

void Expand(const std::string& key, const std::string& pattern, std::vector<std::string>& paths) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return paths.push_back(pattern);
  const std::vector<std::string> all = Alternatives(pattern.substr(open + 1, close - open - 1));
  if (all.empty() || paths.size() + all.size() > kMostShards) {
    throw Error(ErrorKind::kData,
                key + ": " + pattern.substr(open, close - open + 1) + " is no range of shards",
                "Write one as {000000..000012}, of a million at most.");
  }
  for (const std::string& one : all) {
    Expand(key, pattern.substr(0, open) + one + pattern.substr(close + 1), paths);
  }
}

}  // namespace

bool IsShardName(std::string_view name) {
  return HasEnding(name, ".tar") || HasEnding(name, ".tar.gz") || HasEnding(name, ".tgz");
}

std::vector<std::string> ShardsOf(const std::string& key, const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (fs::exists(path, error)) return {path.string()};
    std::vector<std::string> paths;
    Expand(key, path.string(), paths);
    return paths;
  }
  std::vector<std::string> paths;
  for (fs::directory_iterator next(path, error), end; !error && next != end;
       next.increment(error)) {
    const std::string name = next->path().filename().string();
    if (!name.starts_with('.') && IsShardName(name)) paths.push_back(next->path().string());
  }
  if (error) {
    throw Error(ErrorKind::kData,
                key + ": " + path.string() + " cannot be read: " + error.message(),
                "Give this user the right to read it, or leave it out.");
  }
  if (paths.empty()) {
    throw Error(ErrorKind::kData, key + ": " + path.string() + " has no tar files",
                "Shards end in .tar, .tar.gz and .tgz.");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace weir
