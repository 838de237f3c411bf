// What `weir run` is told.
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
  int ranks = 0;                // processes that share the training; 0: as a launcher says
};

}  // namespace weir
