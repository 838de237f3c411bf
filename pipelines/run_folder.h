// What a run leaves behind, and where.
//
//   config.yaml          as resolved
//   plan.json            the memory bill
//   metrics.jsonl        a line an epoch and split
//   dropped.jsonl        a line a picture that was lost: path, stage, reason
//   summary.json         written at the end
//   checkpoint/latest.safetensors
//   model/               model.safetensors and model.json
//
// Every line is written whole and at once; summary, config and plan appear whole or not at all.
// Dropped() may be called from any thread, the rest from one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <unordered_set>

#include "framework/memory_plan.h"

namespace weir {

class RunFolder {
 public:
  // A new folder. Throws Error(kConfig) where it holds a run already, Error(kData) where it cannot
  // be made.
  static RunFolder Create(const std::filesystem::path& path);
  // That of a run that was interrupted. Throws Error(kData) where there is none.
  static RunFolder Reopen(const std::filesystem::path& path);

  // "runs/<name>-<time>", made now, and the youngest of them. Throws Error(kData) where there is
  // none.
  static std::filesystem::path MakeDefault(const std::string& name);
  static std::filesystem::path Youngest(const std::string& name);

  RunFolder(RunFolder&& other) noexcept;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.yaml"; }
  std::filesystem::path model() const { return path_ / "model"; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint" / "latest.safetensors"; }

  void WriteConfig(const std::string& yaml) const;
  void WritePlan(const MemoryPlan& plan) const;
  void WriteSummary(const nlohmann::json& summary) const;

  // Appends a line to metrics.jsonl.
  void AddMetrics(const nlohmann::json& line) const;
  // Removes the lines of `epoch` and later ones: a resumed run writes them again.
  void ForgetMetricsFrom(int epoch) const;

  // Lists a picture that was lost, once, however often it is lost again in later epochs.
  void Dropped(const std::string& path, const std::string& stage, const std::string& reason);
  std::uint64_t dropped() const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  mutable std::mutex mutex_;
  std::unordered_set<std::uint64_t> dropped_;  // hashes of the paths
};

// The bill as JSON: what `weir plan --json` prints and plan.json holds.
nlohmann::json ToJson(const MemoryPlan& plan);

}  // namespace weir
