#include "pipelines/job/data_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipelines/recipe/stage_table.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class DataSourceTest : public ::testing::Test {
 protected:
  // The name of the source that is chosen for `paths`, in the place of a run's folder.
  std::string NameOfSourceFor(DataUse use, const std::vector<std::string>& paths) {
    GivenData data;
    data.use = use;
    for (const std::string& path : paths) data.paths.emplace_back(path);
    StageConfig config;
    config.stage = "directory";
    return SourceFor(data, stages_.registry(), config).name;
  }
  std::string Labelled(const std::string& path) {
    return NameOfSourceFor(DataUse::kLabelled, {path});
  }

  const ScratchFolder scratch_;
  const StageTable stages_;
};

TEST_F(DataSourceTest, IsTheOneThatIsMadeForTheData) {
  scratch_.Write("shards/0.tar");
  scratch_.Write("both/0.tar");
  scratch_.Write("both/ants/1.jpg");
  EXPECT_EQ(Labelled("photos"), "directory");
  EXPECT_EQ(Labelled("photos.csv"), "manifest");
  EXPECT_EQ(Labelled("photos.jsonl"), "manifest");
  EXPECT_EQ(Labelled("photos-0.tar.gz"), "webdataset");
  EXPECT_EQ(Labelled((scratch_ / "shards").string()), "webdataset");
  EXPECT_EQ(Labelled((scratch_ / "both").string()), "directory");
  EXPECT_EQ(NameOfSourceFor(DataUse::kUnlabelled, {"a.csv", "photos"}), "list");
}

TEST_F(DataSourceTest, RefusesSettingsThatAreWrongOrTheDatasOwn) {
  const StageSpec& manifest = *stages_.registry().Find("manifest");
  const GivenData data{.use = DataUse::kLabelled, .paths = {"t.csv"}, .settings = {"clases=[a]"}};
  StageConfig own;
  own.stage = "manifest";
  const std::vector<std::string> classes = {"ants", "bees"};
  Resources resources;
  BuildContext context{.upstream = {}, .resources = resources};
  const StageSpec source = SourceOf(manifest, data, own, classes);
  EXPECT_THAT(CaughtError([&] { source.make(YamlNode(), context); }),
              ::testing::HasSubstr("`clases`; did you mean `classes`?"));
  const GivenData twice{.use = DataUse::kLabelled, .paths = {"t.csv"}, .settings = {"path=u.csv"}};
  EXPECT_THAT(CaughtError([&] { SourceOf(manifest, twice, own, classes); }),
              ::testing::HasSubstr("`path` is DATA's, or the model's, already"));
}

}  // namespace
}  // namespace weir
