#include "pipelines/recipe/stage_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using ::testing::StartsWith;

TEST(StageTable, HasTheBuiltInStages) {
  const StageTable stages;
  EXPECT_NE(stages.registry().Find("decode"), nullptr);
  EXPECT_EQ(stages.registry().Find("sepia"), nullptr);
}

// A command that needs no stage does not end by a faulty plugin: only what asks for stages does.
TEST(StageTable, LoadsThePluginPathWhenStagesAreAskedFor) {
  const ScratchFolder folder;
  const std::string plugin = folder.Write("broken.so", "no shared object").string();
  StageTable stages(folder.path().c_str());
  EXPECT_THAT(CaughtError([&] { stages.Load({}); }),
              StartsWith("plugin '" + plugin + "' is no shared object"));
}

TEST(StageTable, IsOneOfMany) {
  StageTable one, other;
  EXPECT_NE(one.registry().Find("decode"), other.registry().Find("decode"));
}

}  // namespace
}  // namespace weir
