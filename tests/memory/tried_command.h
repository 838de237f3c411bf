// The commands on which failures are tried, each on a small job that is made once: what it is
// called with, what is there beforehand, and what it says and leaves where nothing fails.
//
//   for (const TriedCommand& command : TriedCommands()) Weir(command.ArgumentsFor(out));
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/memory/failed_run.h"

namespace weir {

// The files below a folder, by their path in it, with their bytes; none where it is not there.
std::map<std::string, std::string> FilesBelow(const std::filesystem::path& folder);

struct TriedCommand {
  std::string name;
  std::vector<std::string> arguments;  // "OUT" in one stands for the folder that it works in
  std::filesystem::path before{};      // a copy of this is there beforehand; empty: nothing is
  bool goes_on = false;                // with --resume, from a checkpoint that it left

  // What is there beforehand is there, and nothing else.
  void Prepare(const std::filesystem::path& out) const;
  std::vector<std::string> ArgumentsFor(const std::filesystem::path& out) const;
};

// The whole run of a command, with the preloaded library that counts.
struct WholeRun {
  std::string said;                          // on standard output
  std::map<std::string, std::string> files;  // what it leaves
  std::map<std::string, unsigned long> requests;
};

// `run`, `resume`, `flow`, `predict`, `evaluate`, `check`, `preview`, `plan`, `explain`, `export`.
// Throws std::runtime_error where the job cannot be made.
const TriedCommand& FindTriedCommand(std::string_view name);

// Gives that command with the library for calls, or the one for memory; made once. Throws
// std::runtime_error where it does not end well.
const WholeRun& FindWholeRun(const TriedCommand& command, bool counts_memory);

// An empty place for one trial at a time.
std::filesystem::path TrialFolder();

}  // namespace weir
