#include <gtest/gtest.h>

#include <string>

#include "pipelines/recipe/recipe.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

std::string ConfigOfShards(int shards) {
  std::string text = "name: many\npipeline:\n  - webdataset:\n      shards:\n";
  for (int i = 0; i < shards; ++i) text += "        - " + std::to_string(100'000 + i) + ".tar\n";
  return text + "  - decode\n";
}

TEST(ResolvedYaml, IsRefusedWhereItCouldNotBeReadAgain) {
  const ScratchFolder folder;
  const std::string deep = std::string(100, 'd') + "/config.yaml";
  StageTable stages;
  const auto resolve = [&](int shards) {
    const auto path = folder.Write(deep, ConfigOfShards(shards));
    return CaughtError([&] {
      const std::string resolved = ResolvedYaml(LoadRecipe(stages, path, {}));
      folder.Write("again.yaml", resolved);
      LoadRecipe(stages, folder / "again.yaml", {});
    });
  };
  EXPECT_EQ(resolve(7'000), "nothing was thrown");
  const std::string error = resolve(10'000);  // 210 KB as it is written
  EXPECT_TRUE(error.starts_with("the configuration has 100")) << error;
  EXPECT_NE(
      error.find("of text once all is written out: `predict` and `--resume` could not read it "
                 "again, as 100000 values and 1.00 MiB are the most\n"
                 "Give long lists as a folder, a range or a table: photos-{0000..9999}.tar."),
      error.npos)
      << error;
}

}  // namespace
}  // namespace weir
