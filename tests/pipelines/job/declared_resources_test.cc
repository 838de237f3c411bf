// A built-in stage puts no resource that it does not declare.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipelines/job/model_setup.h"
#include "pipelines/job/session.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"

namespace weir {
namespace {

using ::testing::Contains;

std::vector<std::string> NamesOf(const std::vector<ResourceUse>& uses) {
  std::vector<std::string> names;
  for (const ResourceUse& use : uses) names.emplace_back(use.name);
  return names;
}

class DeclaredResourcesTest : public ::testing::Test {
 protected:
  void CheckStagesOf(const std::string& yaml) {
    for (const char* picture : {"p/ants/1.jpg", "p/ants/2.jpg", "p/bees/1.jpg", "p/bees/2.jpg"}) {
      scratch_.Write(picture, "as good as a picture until it is read");
    }
    StageTable stages;
    const Recipe recipe = LoadRecipe(stages, scratch_.Write("job.yaml", yaml), {});
    const Session session(recipe, {.model = ModelOf(recipe, Fetching::kForbidden)});
    std::size_t count = 0;
    for (std::size_t i = 0; i < recipe.config.pipeline.size(); ++i) {
      const StageSpec& spec = *stages.registry().Find(recipe.config.pipeline[i].stage);
      const std::string name = session.pipeline().stages()[i].name;
      for (const std::string& put : session.resources().PutBy(name)) {
        EXPECT_THAT(NamesOf(spec.provides), Contains(put)) << name;
        ++count;
      }
    }
    EXPECT_GE(count, 4u) << "each source alone provides as many";
  }

  const ScratchFolder scratch_;
};

TEST_F(DeclaredResourcesTest, OfATraining) {
  CheckStagesOf(TrainingYaml({.source = "directory: {path: p, validation_split: 0.5}",
                              .picture_stages = {"random_resized_crop: {size: [32, 32]}"}}));
}

TEST_F(DeclaredResourcesTest, OfAFlow) {
  CheckStagesOf(
      "pipeline:\n  - list: {paths: [p]}\n  - decode\n  - augment: {size: [32, 32]}\n"
      "  - contact_sheet: {from: augment, path: sheet.png}\n  - encode: {from: augment}\n"
      "  - webdataset_writer: {folder: shards}\n  - batch: {from: augment, size: 2}\n"
      "  - normalize\n  - safetensors: {path: tensors.safetensors}\n");
}

}  // namespace
}  // namespace weir
