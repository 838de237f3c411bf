#include "pipelines/run_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/random.h"
#include "stages/model/atomic_file.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kDropped = "dropped.jsonl";

void MakeFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw Error(ErrorKind::kData,
                "cannot make the folder " + path.string() + ": " + error.message(),
                "Give another place with --out.");
  }
}

// Paths are bytes, JSON is UTF-8: what is not is replaced.
std::string Dump(const json& value, int indent = -1) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

// A path as it is known here and in dropped.jsonl, the same when that is read again.
std::uint64_t Key(const json& path) { return StableHash(Dump(path)); }

void WriteWhole(const fs::path& path, const std::string& text) {
  AtomicFile file(path);
  file.Write(std::as_bytes(std::span(text)));
  file.Commit();
}

// In one write, so that a line is never torn in two by a crash of ours.
void AppendLine(const fs::path& path, const json& value) {
  const std::string line = Dump(value) + "\n";
  std::ofstream file(path, std::ios::app | std::ios::binary);
  file.write(line.data(), static_cast<std::streamsize>(line.size()));
  file.flush();
  if (!file) {
    throw Error(ErrorKind::kData, "cannot write to " + path.string() + ": " + std::strerror(errno),
                "Free space on that disk, then go on with --resume.");
  }
}

std::string TimeText(std::time_t time) {
  std::array<char, 32> text{};
  std::tm local{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", localtime_r(&time, &local));
  return text.data();
}

// Whether MakeDefault() may have made it: `ants` is not the name of a run of `ants-bees`.
bool IsDefaultName(const std::string& folder, const std::string& name) {
  return folder.starts_with(name + "-") && folder.size() == name.size() + 1 + TimeText(0).size();
}

std::vector<json> ReadLines(const fs::path& path) {
  std::vector<json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    json value = json::parse(line, nullptr, false);
    if (value.is_object()) lines.push_back(std::move(value));  // a torn last line is left out
  }
  return lines;
}

}  // namespace

RunFolder RunFolder::Create(const fs::path& path) {
  if (fs::exists(path / "config.yaml")) {
    throw Error(ErrorKind::kConfig, path.string() + " holds a run already",
                "Go on with it by --resume, or give another folder with --out.");
  }
  MakeFolder(path);
  MakeFolder(path / "checkpoint");
  RunFolder folder(path);
  for (const char* name : {kMetrics, kDropped}) WriteWhole(path / name, "");
  return folder;
}

RunFolder RunFolder::Reopen(const fs::path& path) {
  if (!fs::exists(path / "config.yaml")) {
    throw Error(ErrorKind::kData, path.string() + " holds no run that could go on",
                "Give the folder of an interrupted run with --out, or leave --resume away.");
  }
  MakeFolder(path / "checkpoint");
  RunFolder folder(path);
  for (const char* part : {"", "checkpoint", "model"}) RemovePartialFiles(path / part);
  std::string whole_lines;  // the next one would else go on where a torn one ends
  for (const json& line : ReadLines(path / kDropped)) {
    folder.dropped_.insert(Key(line.value("path", "")));
    whole_lines += Dump(line) + "\n";
  }
  WriteWhole(path / kDropped, whole_lines);
  return folder;
}

fs::path RunFolder::MakeDefault(const std::string& name) {
  MakeFolder("runs");
  std::time_t time = std::time(nullptr);
  std::error_code error;
  fs::path path;
  // Runs that begin in the same second each get a folder: the later ones take the next second's.
  do {
    path = fs::path("runs") / (name + "-" + TimeText(time++));
  } while (!fs::create_directory(path, error) && !error);
  return path;
}

fs::path RunFolder::Youngest(const std::string& name) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("runs", error)) {
    if (IsDefaultName(entry.path().filename().string(), name) &&
        fs::exists(entry.path() / "config.yaml")) {
      found.push_back(entry.path());
    }
  }
  if (found.empty()) {
    throw Error(ErrorKind::kData, "runs/ holds no run of " + name + " that could go on",
                "Give the folder of the interrupted run with --out.");
  }
  return *std::max_element(found.begin(), found.end());
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), dropped_(std::move(other.dropped_)) {}

void RunFolder::WriteConfig(const std::string& yaml) const { WriteWhole(config(), yaml); }

void RunFolder::WritePlan(const json& plan) const {
  WriteWhole(path_ / "plan.json", Dump(plan, 2) + "\n");
}

void RunFolder::WriteSummary(const json& summary) const {
  WriteWhole(path_ / "summary.json", Dump(summary, 2) + "\n");
}

void RunFolder::AddMetrics(const json& line) const { AppendLine(path_ / kMetrics, line); }

void RunFolder::ForgetMetricsFrom(int epoch) const {
  std::string kept;
  for (const json& line : ReadLines(path_ / kMetrics)) {
    if (line.value("epoch", 0) < epoch) kept += Dump(line) + "\n";
  }
  WriteWhole(path_ / kMetrics, kept);
}

void RunFolder::Dropped(const std::string& path, const std::string& stage,
                        const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (!dropped_.insert(Key(path)).second) return;
  AppendLine(path_ / kDropped, {{"path", path}, {"stage", stage}, {"reason", reason}});
}

std::uint64_t RunFolder::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_.size();
}

}  // namespace weir
