#include "pipelines/recipe/job_device.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipelines/recipe/recipe.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class JobDeviceTest : public testing::Test {
 protected:
  std::string Wrong(const std::string& text, const std::vector<std::string>& overrides = {}) {
    Problems problems;
    LoadRecipe(stages_, folder_.Write("a.yaml", text), overrides, problems);
    std::string all = problems.text();
    for (std::size_t at; (at = all.find(folder_.path().string())) != std::string::npos;) {
      all.replace(at, folder_.path().string().size(), "DIR");
    }
    return all;
  }
  Recipe Load(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return LoadRecipe(stages_, folder_.Write("a.yaml", text), overrides);
  }

  const ScratchFolder folder_;
  StageTable stages_;
};

constexpr const char* kWithout = "pipeline:\n  - list: {paths: [a.jpg]}\n  - decode\n";
constexpr const char* kWith =
    "pipeline:\n  - list: {paths: [a.jpg]}\n  - decode\n  - center_crop\n  - batch\n  - prefetch\n";

TEST_F(JobDeviceTest, IsTheDefaultOfPrefetch) {
  EXPECT_EQ(Wrong("device: cuda\n" + std::string(kWith)), "");
  EXPECT_EQ(Wrong("device: cuda\n" + std::string(kWith), {"pipeline.prefetch.device=auto"}), "");
  EXPECT_EQ(Wrong("device: cuda\n" + std::string(kWith), {"pipeline.prefetch.device=cuda:0"}), "");
  EXPECT_EQ(Wrong("device: auto\n" + std::string(kWith), {"pipeline.prefetch.device=cpu"}), "");
}

TEST_F(JobDeviceTest, IsNotContradictedByAStage) {
  EXPECT_EQ(Wrong("device: cuda:1\npipeline:\n  - list: {paths: [a.jpg]}\n"
                  "  - prefetch: {device: cuda}\n"),
            "DIR/a.yaml:4:24: the stage `prefetch` says `device: cuda`, and DIR/a.yaml:1:9 says "
            "`device: cuda:1`: remove one of them\n"
            "    4 |   - prefetch: {device: cuda}\n"
            "      |                        ^");
  EXPECT_EQ(Wrong("pipeline:\n  - list: {paths: [a.jpg]}\n"
                  "  - prefetch: {as: ahead, device: cuda}\n",
                  {"device=cpu"}),
            "DIR/a.yaml:3:35: the stage `ahead` says `device: cuda`, and --set device=cpu says "
            "`device: cpu`: remove one of them\n"
            "    3 |   - prefetch: {as: ahead, device: cuda}\n"
            "      |                                   ^");
}

TEST_F(JobDeviceTest, NeedsAStageThatBringsBatchesThere) {
  EXPECT_EQ(Wrong("device: cpu\n" + std::string(kWithout)), "");
  EXPECT_EQ(Wrong("device: cuda\n" + std::string(kWithout)),
            "DIR/a.yaml:1:9: `device: cuda` is asked for, and no stage of the pipeline brings "
            "batches there: put `prefetch` behind `batch`\n"
            "    1 | device: cuda\n"
            "      |         ^");
}

TEST_F(JobDeviceTest, ReadsBackToTheSame) {
  for (const char* device : {"auto", "cpu", "cuda", "cuda:3"}) {
    const std::string resolved = ResolvedYaml(Load(kWith, {"device=" + std::string(device)}));
    const std::string written = std::string(device) == "cuda" ? "cuda:0" : device;
    EXPECT_NE(resolved.find("\ndevice: " + written + "\n"), std::string::npos) << resolved;
    EXPECT_EQ(ResolvedYaml(Load(resolved)), resolved);
    EXPECT_EQ(Wrong(resolved, {"device=cpu"}), "");
  }
}

}  // namespace
}  // namespace weir
