// Folders of classes that a test makes, and the source on them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "stages/sources/directory.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {

class DirectoryTest : public testing::Test {
 protected:
  // `count` pictures, <name>0.jpg and so on.
  void AddClass(const std::string& folder, int count) {
    const std::string name = std::filesystem::path(folder).filename();
    std::filesystem::create_directories(root_ / folder);
    for (int i = 0; i < count; ++i) root_.Write(folder + "/" + name + std::to_string(i) + ".jpg");
  }

  Directory Make(const Directory::Params& params, bool training = true) {
    resources_ = Resources();
    BuildContext context{.upstream = {}, .resources = resources_, .seed = 1, .training = training};
    return Directory(params, context);
  }

  // What building ends with, the scratch folder written as $.
  std::string Refusal(const Directory::Params& params) {
    return root_.Shortened(CaughtError([&] { Make(params); }));
  }

  ScratchFolder root_;
  Resources resources_;
};

}  // namespace weir
