#include "framework/host_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>

#include "framework/error.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = std::size_t{1} << 20;

// A file that holds one number; nothing where it is missing or says "max".
std::optional<std::size_t> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  std::string text;
  std::size_t value = 0;
  if (!(file >> text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value in bytes of a line "Name:   123 kB"; nothing where there is none.
std::optional<std::size_t> ReadKilobytes(const fs::path& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name + ":")) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    std::size_t value = 0;
    if (digit == std::string::npos) return std::nullopt;
    std::from_chars(line.data() + digit, line.data() + line.size(), value);
    return value * 1024;
  }
  return std::nullopt;
}

// The limits of the group `group` below `mount` and of all groups above it. Inside a container the
// path may be the host's and lead nowhere: the mount's own limit still counts.
void AddGroups(std::vector<MemoryLimit>& limits, const fs::path& root, const fs::path& mount,
               fs::path group, const std::string& file, const std::string& name) {
  for (;;) {
    const fs::path path = root / mount / group.relative_path() / file;
    if (const auto bytes = ReadNumber(path)) {
      limits.push_back({name + " " + file, path.string(), *bytes});
    }
    if (!group.has_relative_path()) return;
    group = group.parent_path();
  }
}

void AddCgroups(std::vector<MemoryLimit>& limits, const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory:/a/b", "0::/a/b"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") {
      AddGroups(limits, root, "sys/fs/cgroup", group, "memory.max", "cgroup v2");
      AddGroups(limits, root, "sys/fs/cgroup/unified", group, "memory.max", "cgroup v2");
    } else if (controllers.find(",memory,") != std::string::npos) {
      AddGroups(limits, root, "sys/fs/cgroup/memory", group, "memory.limit_in_bytes", "cgroup v1");
    }
  }
}

}  // namespace

std::vector<MemoryLimit> HostMemoryLimits(const fs::path& root) {
  std::vector<MemoryLimit> limits;
  AddCgroups(limits, root);
  const fs::path meminfo = root / "proc/meminfo";
  const auto total = ReadKilobytes(meminfo, "MemTotal");
  if (!total) throw Error(ErrorKind::kInternal, meminfo.string() + " does not say MemTotal");
  // Above the machine's memory a group has no limit (v1 writes a huge number for that).
  std::erase_if(limits, [&](const MemoryLimit& limit) { return limit.bytes >= *total; });
  if (const auto available = ReadKilobytes(meminfo, "MemAvailable")) {
    limits.push_back({"available memory", meminfo.string(), *available});
  }
  limits.push_back({"the machine's memory", meminfo.string(), *total});
  std::stable_sort(limits.begin(), limits.end(),
                   [](const MemoryLimit& a, const MemoryLimit& b) { return a.bytes < b.bytes; });
  return limits;
}

std::size_t AutomaticHostLimit(const std::vector<MemoryLimit>& limits) {
  const std::size_t tightest = limits.front().bytes;
  return (tightest - tightest / 10) / kMiB * kMiB;
}

std::size_t HeldMemory() {
  const fs::path status = "/proc/self/status";
  return ReadKilobytes(status, "RssAnon").value_or(0) +
         ReadKilobytes(status, "RssShmem").value_or(0);
}

}  // namespace weir
