#include "tests/support/hard_cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <system_error>

namespace weir {
namespace {

namespace fs = std::filesystem;

// Whether the kernel took it: it answers when the file is written, and not when it is opened.
bool WriteTo(const fs::path& file, const std::string& text) {
  std::ofstream stream(file);
  return static_cast<bool>(stream << text << std::flush);
}

// The number behind `key` in a file of lines "key number".
std::uint64_t NumberOf(const fs::path& file, const std::string& key) {
  std::ifstream stream(file);
  std::string word;
  for (std::uint64_t number = 0; stream >> word >> number;) {
    if (word == key) return number;
  }
  return 0;
}

bool IsFirstVersion(const fs::path& group) { return fs::exists(group / "memory.limit_in_bytes"); }

// The folders in which a group of ours could be made, the best first.
std::vector<fs::path> Parents() {
  std::vector<fs::path> first, second;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "4:memory:/a/b", "0::/a/b"
    const std::size_t begin = line.find(':') + 1, end = line.find(':', begin);
    const std::string controllers = "," + line.substr(begin, end - begin) + ",";
    const fs::path group = fs::path(line.substr(end + 1)).relative_path();
    const bool is_memory = controllers.find(",memory,") != std::string::npos;
    if (!is_memory && controllers != ",,") continue;
    const fs::path root = is_memory ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
    std::vector<fs::path>& parents = is_memory ? first : second;
    // A group of v2 with processes of its own gives no controller to groups below it.
    for (const fs::path& path : {root / group, root / group.parent_path(), root}) {
      if (fs::is_directory(path)) parents.push_back(path);
    }
  }
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

bool Limit(const fs::path& group, std::size_t limit_bytes) {
  const std::string limit = std::to_string(limit_bytes);
  if (IsFirstVersion(group)) {
    return WriteTo(group / "memory.limit_in_bytes", limit) &&
           (!fs::exists(group / "memory.memsw.limit_in_bytes") ||
            WriteTo(group / "memory.memsw.limit_in_bytes", limit));
  }
  return WriteTo(group / "memory.max", limit) &&
         (!fs::exists(group / "memory.swap.max") || WriteTo(group / "memory.swap.max", "0"));
}

std::size_t BytesIn(const fs::path& path) {
  std::ifstream file(path);
  std::size_t bytes = 0;
  file >> bytes;
  return bytes;
}

// A new group with that limit that this process may send others into; empty where there is none.
fs::path Make(std::size_t limit_bytes) {
  static int made = 0;
  const std::string name = "weir-test-" + std::to_string(getpid()) + "-" + std::to_string(made++);
  for (const fs::path& parent : Parents()) {
    const fs::path group = parent / name;
    if (mkdir(group.c_str(), 0755) != 0) continue;
    if (Limit(group, limit_bytes) && access((group / "cgroup.procs").c_str(), W_OK) == 0) {
      return group;
    }
    rmdir(group.c_str());
  }
  return {};
}

}  // namespace

std::optional<std::string> HardCgroup::Unavailable() {
  const fs::path group = Make(std::size_t{1} << 30);
  if (group.empty()) {
    return "no cgroup with a memory limit can be made here: that needs the right to make folders "
           "in /sys/fs/cgroup (root, or a group that was delegated), and the memory controller";
  }
  rmdir(group.c_str());
  return std::nullopt;
}

HardCgroup::HardCgroup(std::size_t limit_bytes) : folder_(Make(limit_bytes)) {
  if (folder_.empty()) throw std::runtime_error(*Unavailable());
}

HardCgroup::~HardCgroup() { rmdir(folder_.c_str()); }

ProcessSetup HardCgroup::Setup() const {
  // "0" is whoever writes it.
  return {.in_child = [file = (folder_ / "cgroup.procs").string()] {
    const int procs = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (procs < 0 || write(procs, "0", 1) != 1) _exit(127);
  }};
}

void HardCgroup::LowerTo(std::size_t limit_bytes) const {
  if (!Limit(folder_, limit_bytes)) throw std::runtime_error("the limit cannot be lowered");
}

std::size_t HardCgroup::held_bytes() const {
  const bool is_first = IsFirstVersion(folder_);
  const std::string prefix = is_first ? "total_" : "";
  const fs::path statistics = folder_ / "memory.stat";
  return BytesIn(folder_ / (is_first ? "memory.usage_in_bytes" : "memory.current")) -
         NumberOf(statistics, prefix + "inactive_file") -
         NumberOf(statistics, prefix + "active_file");
}

std::size_t HardCgroup::peak_bytes() const {
  return BytesIn(folder_ / (IsFirstVersion(folder_) ? "memory.max_usage_in_bytes" : "memory.peak"));
}

std::uint64_t HardCgroup::kills() const {
  return NumberOf(folder_ / (IsFirstVersion(folder_) ? "memory.oom_control" : "memory.events"),
                  "oom_kill");
}

}  // namespace weir
