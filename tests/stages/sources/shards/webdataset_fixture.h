// Shards of drawn samples, and a source of them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "stages/files/file_bytes.h"
#include "stages/sources/shards/webdataset.h"
#include "tests/stages/sources/shards/tar_shards.h"
#include "tests/support/caught_error.h"
#include "tests/support/scoped_variable.h"
#include "tests/support/scratch_folder.h"

namespace weir {

inline Members Samples(int first, int count) {
  Members members;
  for (int i = first; i < first + count; ++i) {
    const std::string key = std::to_string(1000 + i);
    members.emplace_back(key + ".jpg", "picture " + key + std::string(i % 7 * 300, '.'));
    members.emplace_back(key + ".cls", std::to_string(i % 2));
    members.emplace_back(key + ".json", i % 2 ? "{\"class\": \"bees\"}" : "{\"class\": \"ants\"}");
  }
  return members;
}

inline std::string Content(const FilePart& part) {
  Outcome<FileBytes> opened = FileBytes::Open(part);
  if (const Drop* drop = std::get_if<Drop>(&opened)) return drop->reason;
  std::string content(std::get<FileBytes>(opened).size(), '\0');
  EXPECT_TRUE(std::get<FileBytes>(opened).Read(0, content.data(), content.size()));
  return content;
}

class WebdatasetTest : public testing::Test {
 protected:
  Webdataset Make(const Webdataset::Params& params, bool training = true) {
    resources_ = Resources();
    BuildContext context{.upstream = {}, .resources = resources_, .seed = 1, .training = training};
    return Webdataset(params, context);
  }

  // What a shard of these members ends with, the scratch folder written as $.
  std::string Refusal(const Members& members, Webdataset::Params params = {}) {
    WriteTar(root_ / "t.tar", members);
    return RefusalOf({root_ / "t.tar"}, std::move(params));
  }
  std::string RefusalOf(const std::vector<std::filesystem::path>& shards,
                        Webdataset::Params params = {}) {
    params.shards = shards;
    return root_.Shortened(CaughtError([&] { Make(params); }));
  }

  ScratchFolder root_;
  const ScopedVariable cache_{"WEIR_CACHE", (root_ / "cache").c_str()};
  Resources resources_;
};

}  // namespace weir
