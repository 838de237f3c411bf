// Where the tests find the pictures, weights and references that are not part of the project.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace weir {

// `path` below $WEIR_SHARED, or below ../shared seen from the source root (where the tests run);
// empty where it is absent, and the test skips:
//   const auto file = SharedData("weights/mobilenet_v2_imagenet.pth");
//   if (!file) GTEST_SKIP() << kNoSharedData;
inline std::optional<std::filesystem::path> SharedData(const std::string& path) {
  const char* root = std::getenv("WEIR_SHARED");
  std::filesystem::path file = std::filesystem::path(root ? root : "../shared") / path;
  if (!std::filesystem::exists(file)) return std::nullopt;
  return file;
}

inline constexpr const char* kNoSharedData =
    "the shared test data are not here: set WEIR_SHARED to their folder";

}  // namespace weir
