// The files that the stages of a pipeline write, so that no two write the same.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "framework/error.h"
#include "framework/flow/resources.h"

namespace weir {

struct OutputFiles {
  static constexpr std::string_view kResource = "output files";
  std::set<std::string> paths;

  // Throws Error(kConfig) where both have one.
  void Merge(const OutputFiles& other) {
    for (const std::string& path : other.paths) {
      if (paths.insert(path).second) continue;
      throw Error(ErrorKind::kConfig, "two stages of the pipeline both write '" + path + "'",
                  "Give each a path of its own.");
    }
  }
};

// To be called by a stage that writes `path`, when it is made.
inline void ClaimOutput(Resources& resources, const std::filesystem::path& path) {
  resources.Put(std::make_shared<OutputFiles>(OutputFiles{{path.lexically_normal().string()}}));
}

}  // namespace weir
