#include "pipelines/memory_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "framework/error.h"

namespace weir {
namespace {

using nlohmann::json;

constexpr std::size_t kRoom = 8192;  // of the file, always filled: the rest is spaces

json ToJson(const MemorySnapshot& snapshot) {
  json holdings = json::array();
  for (const Pipeline::Holding& each : snapshot.holdings) {
    holdings.push_back({{"stage", each.stage},
                        {"what", each.what},
                        {"planned_bytes", each.planned_bytes},
                        {"bytes", each.bytes},
                        {"peak_bytes", each.peak_bytes}});
  }
  json all = {{"state", snapshot.state},
              {"time", snapshot.time},
              {"process", snapshot.process},
              {"doing", snapshot.doing},
              {"images_done", snapshot.images_done},
              {"images", snapshot.images},
              {"limit_bytes", snapshot.limit_bytes},
              {"held_bytes", snapshot.held_bytes},
              {"peak_held_bytes", snapshot.peak_held_bytes},
              {"available_bytes", snapshot.available_bytes},
              {"squeezed", snapshot.squeezed},
              {"holdings", std::move(holdings)}};
  if (snapshot.container) {
    all["container"] = {{"file", snapshot.container->file},
                        {"limit_bytes", snapshot.container->limit_bytes},
                        {"held_bytes", snapshot.container->held_bytes}};
  }
  return all;
}

MemorySnapshot SnapshotOf(const json& all) {
  MemorySnapshot snapshot;
  all.at("state").get_to(snapshot.state);
  all.at("time").get_to(snapshot.time);
  all.at("process").get_to(snapshot.process);
  all.at("doing").get_to(snapshot.doing);
  all.at("images_done").get_to(snapshot.images_done);
  all.at("images").get_to(snapshot.images);
  all.at("limit_bytes").get_to(snapshot.limit_bytes);
  all.at("held_bytes").get_to(snapshot.held_bytes);
  all.at("peak_held_bytes").get_to(snapshot.peak_held_bytes);
  all.at("available_bytes").get_to(snapshot.available_bytes);
  all.at("squeezed").get_to(snapshot.squeezed);
  for (const json& each : all.at("holdings")) {
    snapshot.holdings.push_back({each.at("stage"), each.at("what"), each.at("planned_bytes"),
                                 each.at("bytes"), each.at("peak_bytes")});
  }
  if (const auto container = all.find("container"); container != all.end()) {
    snapshot.container = ContainerMemory{container->at("file"), container->at("limit_bytes"),
                                         container->at("held_bytes")};
  }
  return snapshot;
}

}  // namespace

MemoryLog::MemoryLog(const std::filesystem::path& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) {
  const int error = file_ < 0 ? errno : ::posix_fallocate(file_, 0, kRoom);
  if (error == 0 || error == EOPNOTSUPP || error == EINVAL) return;
  if (file_ >= 0) ::close(file_);
  throw Error(ErrorKind::kData, "cannot write " + path.string() + ": " + std::strerror(error),
              "Free space on that disk, or give another place with --out.");
}

MemoryLog::~MemoryLog() { ::close(file_); }

void MemoryLog::Write(const MemorySnapshot& snapshot) noexcept {
  try {
    std::string text = ToJson(snapshot).dump(1, ' ', false, json::error_handler_t::replace);
    text.resize(std::max(kRoom, text.size() + 1) - 1, ' ');
    text += '\n';
    if (::pwrite(file_, text.data(), text.size(), 0) < 0) return;
  } catch (const std::exception&) {  // no memory for the text
  }
}

MemorySnapshot MemoryLog::Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorKind::kData, "there is no " + path.string(),
                "Give the folder of a run, begun by `weir run`.");
  }
  try {
    return SnapshotOf(json::parse(std::string(std::istreambuf_iterator<char>(file), {})));
  } catch (const json::exception&) {
    throw Error(ErrorKind::kData, path.string() + " is damaged, or of another version of weir");
  }
}

}  // namespace weir
