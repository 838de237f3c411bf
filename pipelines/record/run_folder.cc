#include "pipelines/record/run_folder.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/random.h"
#include "framework/write_error.h"
#include "pipelines/record/json_lines.h"
#include "stages/files/atomic_file.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kDropped = "dropped.jsonl";
constexpr std::size_t kMostRemembered = std::size_t{1} << 18;  // pictures that were lost

void MakeFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw WriteError(path, "the folder cannot be made", error.value(),
                     "give another place with --out");
  }
}

// A path as it is known here and in dropped.jsonl, the same when that is read again.
std::uint64_t Key(const json& path) { return StableHash(Dump(path)); }

void WriteWhole(const fs::path& path, const std::string& text) {
  AtomicFile file(path);
  file.Write(std::as_bytes(std::span(text)));
  file.Commit();
}

// Whether it is a line of metrics.jsonl; what is there beside the epoch has the type that it is
// written with.
bool IsMetrics(const json& line) {
  const auto is = [&line](const char* key, bool (*has_type)(const json&), bool is_needed) {
    const auto found = line.find(key);
    return found == line.end() ? !is_needed : has_type(*found);
  };
  const auto is_number = [](const json& value) { return value.is_number(); };
  return is(
             "epoch", [](const json& value) { return value.is_number_unsigned(); }, true) &&
         is(
             "split", [](const json& value) { return value.is_string(); }, false) &&
         is("loss", is_number, false) && is("accuracy", is_number, false) &&
         is("images", is_number, false) && is("seconds", is_number, false);
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

}  // namespace

RunFolder RunFolder::Create(const fs::path& path, RunKind kind) {
  MakeFolder(path);
  RunFolder folder(path, FolderLock(path));
  std::error_code unknown;
  if (fs::exists(folder.config(), unknown)) {
    throw Error(ErrorKind::kConfig, path.string() + " holds a run already",
                "Go on with it by --resume, or give another folder with --out.");
  }
  if (kind == RunKind::kTraining && fs::exists(folder.model(), unknown)) {
    throw Error(ErrorKind::kConfig,
                folder.model().string() + " is there already, and a run replaces it as a whole",
                "Give another folder with --out.");
  }
  MakeFolder(path / "checkpoint");
  for (const char* name : {kMetrics, kDropped}) WriteWhole(path / name, "");
  return folder;
}

RunFolder RunFolder::Reopen(const fs::path& path) {
  std::error_code unknown;
  if (!fs::exists(path / "config.yaml", unknown)) {
    throw Error(ErrorKind::kData, path.string() + " holds no run that could go on",
                "Give the folder of an interrupted run with --out, or leave --resume away.");
  }
  RunFolder folder(path, FolderLock(path));
  MakeFolder(path / "checkpoint");
  for (const char* part : {"", "checkpoint", "model"}) RemovePartialFiles(path / part);
  folder.ReadDropped();
  return folder;
}

void RunFolder::ReadDropped() {
  std::uint64_t lines = 0;
  Note(SiftLines(dropped_list(), [&](const json& line) {
    const auto lost = line.find("path");
    if (lost == line.end() || !lost->is_string()) return LineUse::kDamaged;
    ++lines;
    if (remembered_.size() < kMostRemembered) remembered_.push_back(Key(*lost));
    return LineUse::kKeep;
  }));
  std::sort(remembered_.begin(), remembered_.end());
  const auto repeated = std::unique(remembered_.begin(), remembered_.end());
  dropped_ = lines - static_cast<std::uint64_t>(remembered_.end() - repeated);
  remembered_.erase(repeated, remembered_.end());
}

void RunFolder::TakeOverDropped(const fs::path& list) {
  std::error_code unknown;
  if (!fs::exists(list, unknown)) return;
  SiftLines(list, [&](const json& line) {
    const auto path = line.find("path"), stage = line.find("stage"), reason = line.find("reason");
    for (const auto& text : {path, stage, reason}) {
      if (text == line.end() || !text->is_string()) return LineUse::kDamaged;
    }
    Dropped(*path, *stage, *reason);
    return LineUse::kKeep;
  });
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

RunFolder::RunFolder(fs::path path, FolderLock lock)
    : path_(std::move(path)), lock_(std::move(lock)) {
  Note(lock_.problem());
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::move(other.lock_)),
      notes_(std::move(other.notes_)),
      remembered_(std::move(other.remembered_)),
      dropped_(other.dropped_) {}

void RunFolder::Note(std::string note) {
  if (!note.empty()) notes_.push_back(std::move(note));
}

fs::path RunFolder::dropped_list() const { return path_ / kDropped; }

void RunFolder::WriteConfig(const std::string& yaml) const { WriteWhole(config(), yaml); }

void RunFolder::WritePlan(const json& plan) const {
  WriteWhole(path_ / "plan.json", Dump(plan, 2) + "\n");
}

void RunFolder::WriteSummary(const json& summary) const {
  WriteWhole(path_ / "summary.json", Dump(summary, 2) + "\n");
}

void RunFolder::AddMetrics(const json& line) const { AppendLine(path_ / kMetrics, line); }

void RunFolder::ForgetMetricsFrom(int epoch) {
  const auto epoch_of = [](const json& line) { return line["epoch"].get<std::uint64_t>(); };
  bool counts_from_0 = false;
  Note(SiftLines(path_ / kMetrics, [&](const json& line) {
    if (!IsMetrics(line)) return LineUse::kDamaged;
    counts_from_0 = counts_from_0 || epoch_of(line) == 0;
    return LineUse::kKeep;
  }));
  SiftLines(path_ / kMetrics, [&](json& line) {
    const std::uint64_t done = epoch_of(line) + (counts_from_0 ? 1 : 0);
    if (done >= static_cast<std::uint64_t>(epoch)) return LineUse::kForget;
    if (!counts_from_0) return LineUse::kKeep;
    line["epoch"] = done;
    return LineUse::kChange;
  });
}

void RunFolder::Dropped(const std::string& path, const std::string& stage,
                        const std::string& reason) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t key = Key(path);
  const auto place = std::lower_bound(remembered_.begin(), remembered_.end(), key);
  if (place != remembered_.end() && *place == key) return;
  if (remembered_.size() < kMostRemembered) remembered_.insert(place, key);
  ++dropped_;
  AppendLine(dropped_list(), {{"path", path}, {"stage", stage}, {"reason", reason}});
}

std::uint64_t RunFolder::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

bool RunFolder::HasDropped(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return std::binary_search(remembered_.begin(), remembered_.end(), Key(path));
}

}  // namespace weir
