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

// Throws Error: kInterrupted where a signal stopped it, after the checkpoint is saved.
void Run(const RunOptions& options);

}  // namespace weir
