#include "framework/memory/host_memory.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "framework/error.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStatus = "/proc/self/status";
constexpr std::size_t kMiB = std::size_t{1} << 20;
// Left of any bound: for code that runs again and again (6 MiB, measured) and the kernel's own.
constexpr std::size_t kLeftBytes = 12 * kMiB;

// A limit on addresses counts the whole stack of a thread: 8 MiB by default, 4 MiB for TBB's
// workers.
constexpr std::size_t kStackAddresses = 8 * kMiB;
// It also counts what libraries map from when the limits are read to when all is at work: 51 MiB,
// measured with a small job. RLIMIT_DATA leaves mapped files out, and 10 MiB of them are left.
constexpr std::size_t kMappedByLibraries = 72 * kMiB;
constexpr std::size_t kTakenByLibraries = 24 * kMiB;

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

// The value in bytes of a line "Name:   123 kB"; nothing where there is none, and errno then says
// why the file could not be read, or is 0.
std::optional<std::size_t> ReadKilobytes(const fs::path& path, const std::string& name) {
  errno = 0;
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

// The files of one version of cgroups.
struct GroupFiles {
  const char* version;
  const char* limit;
  const char* usage;
  const char* file_prefix;  // how names in memory.stat begin that count the groups below too
};
constexpr GroupFiles kFirst = {"cgroup v1", "memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_"};
constexpr GroupFiles kSecond = {"cgroup v2", "memory.max", "memory.current", ""};

// Visits the group `group` below `mount` and all groups above it. Inside a container the path may
// be the host's and lead nowhere: the mount itself still counts.
template <class Visit>
void ForEachGroupAbove(const fs::path& mount, fs::path group, const GroupFiles& files,
                       Visit visit) {
  for (;;) {
    const fs::path folder = mount / group.relative_path();
    if (const auto bytes = ReadNumber(folder / files.limit)) visit(folder, files, *bytes);
    if (!group.has_relative_path()) return;
    group = group.parent_path();
  }
}

// visit(folder, files, limit) for every memory cgroup with a limit that the process is in.
template <class Visit>
void ForEachGroup(const fs::path& root, Visit visit) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory:/a/b", "0::/a/b"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") {
      ForEachGroupAbove(root / "sys/fs/cgroup", group, kSecond, visit);
      ForEachGroupAbove(root / "sys/fs/cgroup/unified", group, kSecond, visit);
    } else if (controllers.find(",memory,") != std::string::npos) {
      ForEachGroupAbove(root / "sys/fs/cgroup/memory", group, kFirst, visit);
    }
  }
}

// The number in the line "name 123" of memory.stat; 0 where there is none.
std::size_t ReadStatistic(const fs::path& path, const std::string& name) {
  std::ifstream file(path);
  std::string found;
  for (std::size_t value = 0; file >> found >> value;) {
    if (found == name) return value;
  }
  return 0;
}

// The soft limit in bytes of a line "Max address space   1024   unlimited   bytes".
std::optional<std::size_t> ReadProcessLimit(const fs::path& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    std::size_t value = 0;
    if (rest >> value) return value;
  }
  return std::nullopt;
}

// `error` is why the file could not be read, or 0.
[[noreturn]] void ThrowUnknown(const std::string& what, int error) {
  const std::string why = "how much memory there is, and how much of it is held, is read there.";
  if (error == 0 || error == ENOENT) {
    throw Error(ErrorKind::kMemory, what, "Mount /proc (`mount -t proc proc /proc`): " + why);
  }
  throw Error(ErrorKind::kMemory, what + ": " + std::generic_category().message(error),
              "See that it can be read: " + why);
}

// A limit on addresses, as one on memory: what is held, and as much as there are addresses left
// beside `others_bytes`.
void AddProcessLimit(std::vector<MemoryLimit>& limits, const fs::path& root,
                     const std::string& line, const std::string& used, const std::string& name,
                     std::size_t others_bytes) {
  const fs::path file = root / "proc/self/limits";
  const fs::path status = root / "proc/self/status";
  const auto most = ReadProcessLimit(file, line);
  const auto now = ReadKilobytes(status, used);
  if (!most || !now) return;
  const std::size_t held = ReadKilobytes(status, "RssAnon").value_or(0);
  const std::size_t taken = std::min(*most, *now + others_bytes);
  limits.push_back({name, file.string(), held + (*most - taken), true});
}

}  // namespace

std::vector<MemoryLimit> HostMemoryLimits(const fs::path& root, int threads) {
  const std::size_t stacks = static_cast<std::size_t>(threads) * kStackAddresses;
  const std::size_t mapped = threads > 0 ? stacks + kMappedByLibraries : 0;
  const std::size_t taken = threads > 0 ? stacks + kTakenByLibraries : 0;
  std::vector<MemoryLimit> limits;
  ForEachGroup(root, [&](const fs::path& folder, const GroupFiles& files, std::size_t bytes) {
    limits.push_back({std::string(files.version) + " " + files.limit,
                      (folder / files.limit).string(), bytes, true});
  });
  AddProcessLimit(limits, root, "Max address space", "VmSize", "RLIMIT_AS", mapped);
  AddProcessLimit(limits, root, "Max data size", "VmData", "RLIMIT_DATA", taken);
  const fs::path meminfo = root / "proc/meminfo";
  const auto total = ReadKilobytes(meminfo, "MemTotal");
  if (!total) ThrowUnknown(meminfo.string() + " does not say how much memory there is", errno);
  // Above the machine's memory a group has no limit (v1 writes a huge number for that).
  std::erase_if(limits, [&](const MemoryLimit& limit) { return limit.bytes >= *total; });
  if (const std::size_t available = AvailableMemory(root); available > 0) {
    limits.push_back({"available memory", meminfo.string(), available, false});
  }
  limits.push_back({"the machine's memory", meminfo.string(), *total, false});
  std::stable_sort(limits.begin(), limits.end(),
                   [](const MemoryLimit& a, const MemoryLimit& b) { return a.bytes < b.bytes; });
  return limits;
}

std::size_t UsableBytes(const MemoryLimit& limit) {
  const std::size_t left = std::max(limit.bytes / 10, kLeftBytes);
  return (limit.bytes - std::min(limit.bytes, left)) / kMiB * kMiB;
}

std::size_t AutomaticHostLimit(const std::vector<MemoryLimit>& limits) {
  return UsableBytes(limits.front());
}

std::optional<ContainerMemory> TightestContainer(const fs::path& root) {
  std::optional<ContainerMemory> tightest;
  ForEachGroup(root, [&](const fs::path& folder, const GroupFiles& files, std::size_t limit) {
    const auto usage = ReadNumber(folder / files.usage);
    if (!usage) return;
    const std::string prefix = files.file_prefix;
    const fs::path statistics = folder / "memory.stat";
    const std::size_t droppable = ReadStatistic(statistics, prefix + "inactive_file") +
                                  ReadStatistic(statistics, prefix + "active_file");
    const ContainerMemory group{(folder / files.limit).string(), limit,
                                *usage - std::min(*usage, droppable)};
    if (!tightest || group.room_bytes() < tightest->room_bytes()) tightest = group;
  });
  return tightest;
}

std::size_t AvailableMemory(const fs::path& root) {
  return ReadKilobytes(root / "proc/meminfo", "MemAvailable").value_or(0);
}

std::size_t HeldMemory() {
  return ReadKilobytes(kStatus, "RssAnon").value_or(0) +
         ReadKilobytes(kStatus, "RssShmem").value_or(0);
}

std::size_t KnownHeldMemory() {
  const std::size_t own = ReadKilobytes(kStatus, "RssAnon").value_or(0);
  if (own == 0) {
    ThrowUnknown(std::string(kStatus) + " does not say how much memory weir holds", errno);
  }
  return own + ReadKilobytes(kStatus, "RssShmem").value_or(0);
}

}  // namespace weir
