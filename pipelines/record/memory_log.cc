#include "pipelines/record/memory_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "framework/error.h"
#include "framework/input_file.h"
#include "framework/text.h"
#include "framework/write_error.h"
#include "stages/files/bounded_json.h"

namespace weir {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBytes = 1 << 20;  // no more is read
constexpr std::size_t kRoom = 8192;          // bytes that the file has at least, filled with spaces
constexpr std::size_t kLongestText = 4096;   // bytes that are written of what happened
constexpr std::size_t kLongestName = 128;    // bytes that are written of a stage's name
constexpr std::size_t kMostHoldings = 500;

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
              {"process_begin", snapshot.process_begin},
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
  if (snapshot.device) {
    all["device"] = {{"name", snapshot.device->name},
                     {"limit_bytes", snapshot.device->limit_bytes},
                     {"bytes", snapshot.device->bytes},
                     {"peak_bytes", snapshot.device->peak_bytes}};
  }
  return all;
}

// Reads an object that anybody may have changed: every field is there, has its type, and is in a
// range that can be reckoned with. Throws json::exception or std::range_error where one is not.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  std::string Text(const char* key) const { return OneLine(At(key).get_ref<const std::string&>()); }
  std::uint64_t Number(const char* key, std::uint64_t most) const {
    const json& value = At(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
      throw std::range_error(key);
    }
    return value.get<std::uint64_t>();
  }
  std::size_t Bytes(const char* key) const { return Number(key, std::uint64_t{1} << 60); }
  // Where a group has none, cgroup v1 writes a huge number.
  std::size_t Limit(const char* key) const {
    return Number(key, std::numeric_limits<std::uint64_t>::max());
  }

 private:
  const json& At(const char* key) const { return object_.at(key); }

  const json& object_;
};

constexpr std::uint64_t kMostSeconds = 253'402'300'799;  // the end of the year 9999
constexpr std::uint64_t kMostImages = std::uint64_t{1} << 60;
constexpr std::uint64_t kMostTicks = std::uint64_t{1} << 60;

MemorySnapshot SnapshotOf(const json& all) {
  const Reader top(all);
  MemorySnapshot snapshot;
  snapshot.state = top.Text("state");
  snapshot.time = static_cast<std::int64_t>(top.Number("time", kMostSeconds));
  snapshot.process = static_cast<int>(top.Number("process", std::numeric_limits<int>::max()));
  // Runs of earlier versions have none.
  if (all.contains("process_begin")) {
    snapshot.process_begin = top.Number("process_begin", kMostTicks);
  }
  snapshot.doing = top.Text("doing");
  snapshot.images_done = top.Number("images_done", kMostImages);
  snapshot.images = top.Number("images", kMostImages);
  snapshot.limit_bytes = top.Bytes("limit_bytes");
  snapshot.held_bytes = top.Bytes("held_bytes");
  snapshot.peak_held_bytes = top.Bytes("peak_held_bytes");
  snapshot.available_bytes = top.Bytes("available_bytes");
  snapshot.squeezed = top.Text("squeezed");
  for (const json& each : all.at("holdings").get_ref<const json::array_t&>()) {
    const Reader holding(each);
    snapshot.holdings.push_back({holding.Text("stage"), holding.Text("what"),
                                 holding.Bytes("planned_bytes"), holding.Bytes("bytes"),
                                 holding.Bytes("peak_bytes")});
  }
  if (const auto container = all.find("container"); container != all.end()) {
    const Reader group(*container);
    snapshot.container =
        ContainerMemory{group.Text("file"), group.Limit("limit_bytes"), group.Bytes("held_bytes")};
  }
  if (const auto device = all.find("device"); device != all.end()) {
    const Reader there(*device);
    snapshot.device = DeviceHolding{there.Text("name"), there.Bytes("limit_bytes"),
                                    there.Bytes("bytes"), there.Bytes("peak_bytes")};
  }
  return snapshot;
}

std::string Shortened(const std::string& text) {
  return text.size() <= kLongestText ? text : text.substr(0, kLongestText) + "...";
}

// What is written stays well below the 1 MiB that is read, whatever stages call themselves.
MemorySnapshot Shortened(MemorySnapshot snapshot) {
  snapshot.state = Shortened(snapshot.state);
  snapshot.doing = Shortened(snapshot.doing);
  snapshot.squeezed = Shortened(snapshot.squeezed);
  if (snapshot.holdings.size() > kMostHoldings) snapshot.holdings.resize(kMostHoldings);
  if (snapshot.device) {
    snapshot.device->name.resize(std::min(snapshot.device->name.size(), kLongestName));
  }
  for (Pipeline::Holding& each : snapshot.holdings) {
    each.stage.resize(std::min(each.stage.size(), kLongestName));
    each.what.resize(std::min(each.what.size(), kLongestName));
  }
  return snapshot;
}

}  // namespace

MemoryLog::MemoryLog(const std::filesystem::path& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) {
  const int error = file_ < 0 ? errno : ::posix_fallocate(file_, 0, kRoom);
  if (error == 0 || error == EOPNOTSUPP || error == EINVAL) return;
  if (file_ >= 0) {
    if (::lseek(file_, 0, SEEK_END) == 0) ::unlink(path.c_str());  // it would tell of nothing
    ::close(file_);
  }
  throw WriteError(path, "cannot be written", error, "give another place with --out");
}

MemoryLog::~MemoryLog() { ::close(file_); }

void MemoryLog::Write(const MemorySnapshot& snapshot) noexcept {
  try {
    std::string text =
        ToJson(Shortened(snapshot)).dump(1, ' ', false, json::error_handler_t::replace);
    // The end of a longer text, of before, must not stand behind this one.
    const auto before = static_cast<std::size_t>(std::max<off_t>(::lseek(file_, 0, SEEK_END), 0));
    text.resize(std::max({kRoom, before, text.size() + 1}) - 1, ' ');
    text += '\n';
    if (::pwrite(file_, text.data(), text.size(), 0) < 0) return;
  } catch (const std::exception&) {  // no memory for the text
  }
}

MemorySnapshot MemoryLog::Read(const std::filesystem::path& path) {
  InputFile file(path);
  const std::string text = file.ReadText(kMostBytes);
  if (!file.problem().empty()) {
    throw Error(ErrorKind::kData, path.string() + " " + file.problem(),
                "Give the folder of a run, begun by `weir run`.");
  }
  try {
    return SnapshotOf(ParseJson(text, {.text_bytes = kMostBytes, .held_bytes = 16 * kMostBytes}));
  } catch (const JsonRefusal&) {
  } catch (const json::exception&) {
  } catch (const std::range_error&) {
  }
  throw Error(ErrorKind::kData, path.string() + " is damaged, or of another version of weir",
              "The run itself may be whole: see its metrics.jsonl, or go on with --resume.");
}

}  // namespace weir
