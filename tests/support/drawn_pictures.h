// A folder of weir's own pictures for the tests of a program, drawn once.
#pragma once

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {

// The same folder at each call, with so many pictures of each class; 0: as `weir draw` has it.
template <int per_class = 0>
const std::filesystem::path& DrawnPictures() {
  static const ScratchFolder folder;
  static const std::filesystem::path pictures = [] {
    const std::filesystem::path path = folder / "pictures";
    std::vector<std::string> arguments = {"draw", path.string()};
    if (per_class > 0) {
      arguments.insert(arguments.end(), {"--per-class", std::to_string(per_class)});
    }
    const ProcessOutcome outcome = Weir(arguments);
    if (outcome.status != 0) throw std::runtime_error(outcome.err);
    return path;
  }();
  return pictures;
}

// The arguments of `command` over the demo's configuration and these pictures, and `more` behind.
template <int per_class = 0>
std::vector<std::string> DrawnDemo(const std::string& command,
                                   const std::vector<std::string>& more = {}) {
  return Joined({command, "configs/demo.yaml", "--set",
                 "pipeline.directory.path=" + DrawnPictures<per_class>().string()},
                more);
}

// Its pictures by class and name.
template <int per_class = 0>
std::vector<std::filesystem::path> DrawnFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(DrawnPictures<per_class>())) {
    if (entry.path().extension() == ".jpg") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace weir
