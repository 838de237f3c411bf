#include "stages/sources/shards/shard_paths.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/remote/remote_address.h"
#include "stages/sources/listing/endings.h"
#include "stages/sources/whole_number.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostShards = 1'000'000;
constexpr std::uint64_t kMostNameBytes = std::uint64_t{64} << 20;

// The alternatives of "{000..012}" or "{a,b}", or a text that stands as it is: the only one.
class Part {
 public:
  explicit Part(std::string text) : texts_{std::move(text)}, longest_(texts_[0].size()) {}

  // Reads what stands in braces; gives nothing where it is no range.
  static std::optional<Part> Braced(const std::string& inside) {
    Part part("");
    const std::size_t dots = inside.find("..");
    if (dots == std::string::npos) {
      part.texts_.clear();
      for (std::size_t begin = 0; begin <= inside.size();) {
        const std::size_t comma = std::min(inside.find(',', begin), inside.size());
        part.texts_.push_back(inside.substr(begin, comma - begin));
        part.longest_ = std::max(part.longest_, comma - begin);
        begin = comma + 1;
      }
      return part;
    }
    const std::string low = inside.substr(0, dots), high = inside.substr(dots + 2);
    const auto first = WholeNumber(low), last = WholeNumber(high);
    if (!first || !last || *last < *first || *last - *first >= kMostShards) return std::nullopt;
    part.first_ = *first;
    part.numbers_ = *last - *first + 1;
    part.width_ = low.starts_with('0') ? low.size() : 0;
    part.longest_ = std::max(part.width_, high.size());
    return part;
  }

  std::uint64_t count() const { return numbers_ > 0 ? numbers_ : texts_.size(); }
  std::size_t longest() const { return longest_; }  // bytes
  std::string operator[](std::uint64_t index) const {
    if (numbers_ == 0) return texts_[index];
    const std::string digits = std::to_string(first_ + index);
    return std::string(width_ - std::min(width_, digits.size()), '0') + digits;
  }

 private:
  std::vector<std::string> texts_;
  std::uint64_t first_ = 0, numbers_ = 0;  // a range's
  std::size_t width_ = 0;                  // digits of its numbers, with zeros in front
  std::size_t longest_ = 0;
};

std::vector<Part> Split(const std::string& key, const std::string& pattern) {
  std::vector<Part> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t open = pattern.find('{', begin);
    const std::size_t close = pattern.find('}', open);
    if (open == std::string::npos || close == std::string::npos) break;
    std::optional<Part> braced = Part::Braced(pattern.substr(open + 1, close - open - 1));
    if (!braced) {
      const std::string braces = pattern.substr(open, close - open + 1);
      const bool is_shown = ShownRemote(pattern).find(braces) != std::string::npos;
      throw Error(ErrorKind::kData,
                  key + ": " + (is_shown ? braces : "{...}") + " is no range of shards",
                  "Write one as {000000..000012}, of a million at most.");
    }
    parts.emplace_back(pattern.substr(begin, open - begin));
    parts.push_back(*std::move(braced));
    begin = close + 1;
  }
  parts.emplace_back(pattern.substr(begin));
  return parts;
}

// How many shards these are; throws where that is too many.
std::uint64_t Count(const std::string& key, const std::string& pattern,
                    const std::vector<Part>& parts) {
  std::uint64_t count = 1, longest = 0;
  for (const Part& part : parts) {
    count *= std::min(part.count(), kMostShards + 1);
    longest += part.longest();
    if (count > kMostShards || count * longest > kMostNameBytes) {
      throw Error(
          ErrorKind::kData,
          key + ": " + Printable(ShownRemote(pattern)) + " is more shards than are read",
          "Braces multiply: {00..99}{00..99} is 10,000. A million shards are the most, with "
          "64 MiB of names.");
    }
  }
  return count;
}

void Expand(const std::string& key, const std::string& pattern,
            const std::function<void(const std::string&)>& visit) {
  const std::vector<Part> parts = Split(key, pattern);
  const std::uint64_t count = Count(key, pattern, parts);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string path;
    std::uint64_t rest = i, below = count;  // the last braces count fastest
    for (const Part& part : parts) {
      below /= part.count();
      path += part[rest / below];
      rest %= below;
    }
    visit(path);
  }
}

}  // namespace

bool IsShardName(std::string_view name) {
  return HasEnding(name, ".tar") || HasEnding(name, ".tar.gz") || HasEnding(name, ".tgz");
}

bool HoldsShards(const std::filesystem::path& folder) {
  bool any = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) return false;
    any = any || IsShardName(entry.path().filename().string());
  }
  return any;
}

void ForEachShard(const std::string& key, const fs::path& path,
                  const std::function<void(const std::string& shard)>& visit) {
  if (IsRemote(path.native())) return Expand(key, path.native(), visit);
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (fs::exists(path, error)) return visit(path.string());
    return Expand(key, path.string(), visit);
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
  for (const std::string& shard : paths) visit(shard);
}

}  // namespace weir
