// What a run leaves behind, and where.
//
//   config.yaml          as resolved
//   plan.json            the memory bill and the device
//   metrics.jsonl        a line an epoch, which count from 1, and split
//   dropped.jsonl        a line a picture that was lost: path, stage, reason
//   summary.json         written at the end
//   memory.json          who holds what, rewritten as it goes (memory_log.h)
//   checkpoint/latest.safetensors
//   checkpoint/phase-N/  the model that the phase in progress began with
//   checkpoint/kept-N/   the model of epoch N, until it takes the place of model/
//   model/               model.safetensors and model.json, with int8 int8.safetensors, with ema or
//                        swa raw.safetensors; replaced as a whole
//   .lock                held while the run goes on (folder_lock.h)
//
// Every line is written whole and at once; summary, config and plan appear whole or not at all.
// Dropped() may be called from any thread, the rest from one. Holds 8 bytes for each of the first
// 262,144 pictures that were lost; of those beyond, a loss in a later epoch is listed once more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipelines/record/folder_lock.h"

namespace weir {

enum class RunKind { kTraining, kFlow };  // what leaves a model/, and what does not

class RunFolder {
 public:
  // A new folder, locked. Throws Error(kConfig) where it holds a run already or another process
  // writes there, or where a training would replace a model/ that is there; Error(kData) where it
  // cannot be made.
  static RunFolder Create(const std::filesystem::path& path, RunKind kind = RunKind::kTraining);
  // That of a run that was interrupted, locked. Throws Error(kData) where there is none,
  // Error(kConfig) where another process goes on with it.
  static RunFolder Reopen(const std::filesystem::path& path);
  // That of any run, to look at it, whoever writes there.
  static RunFolder At(const std::filesystem::path& path) { return RunFolder(path, {}); }

  // "runs/<name>-<time>", made now, and the youngest of them. Throws Error(kData) where there is
  // none.
  static std::filesystem::path MakeDefault(const std::string& name);
  static std::filesystem::path Youngest(const std::string& name);

  RunFolder(RunFolder&& other) noexcept;

  // Lines for people: what was damaged and left out of it, or that it cannot be locked.
  const std::vector<std::string>& notes() const { return notes_; }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.yaml"; }
  std::filesystem::path model() const { return path_ / "model"; }
  std::filesystem::path dropped_list() const;
  std::filesystem::path memory_log() const { return path_ / "memory.json"; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint" / "latest.safetensors"; }
  // The model that a phase begins with; `phase` counts from 0.
  std::filesystem::path phase_model(int phase) const {
    return path_ / "checkpoint" / ("phase-" + std::to_string(phase + 1));
  }

  void WriteConfig(const std::string& yaml) const;
  void WritePlan(const nlohmann::json& plan) const;
  void WriteSummary(const nlohmann::json& summary) const;

  // Appends a line to metrics.jsonl.
  void AddMetrics(const nlohmann::json& line) const;
  // Removes the lines of `epoch`, which counts from 1, and later ones: a resumed run writes them
  // again. Where the lines count from 0, as those of earlier versions do, which one with epoch 0
  // shows, those that stay are counted from 1 from now on.
  void ForgetMetricsFrom(int epoch);

  // Lists a picture that was lost, once, however often it is lost again in later epochs.
  void Dropped(const std::string& path, const std::string& stage, const std::string& reason);
  // The same of all that another list of that kind names; nothing where there is none.
  void TakeOverDropped(const std::filesystem::path& list);
  std::uint64_t dropped() const;
  bool HasDropped(const std::string& path) const;

 private:
  RunFolder(std::filesystem::path path, FolderLock lock);
  void Note(std::string note);
  void ReadDropped();

  std::filesystem::path path_;
  FolderLock lock_;
  std::vector<std::string> notes_;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> remembered_;  // hashes of the paths that were lost, sorted
  std::uint64_t dropped_ = 0;              // lines in dropped.jsonl
};

}  // namespace weir
