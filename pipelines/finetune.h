// The main job: passes over the training and validation data until the epochs are done, with
// a checkpoint to go on from at every save interval.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir {

struct RunOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::filesystem::path out;  // empty: runs/<name>-<time>
  bool resume = false;
  std::filesystem::path trace;  // empty: none
};

// Trains, or does the job of a pipeline that does not (flow_run.h). Throws Error: kInterrupted
// where a signal stopped it, after the checkpoint is saved.
void Run(const RunOptions& options);

// The last line of a run that was traced; `problem` is what kept the trace from being whole.
void SayWhereItIs(const std::filesystem::path& trace, const std::string& problem);

}  // namespace weir
