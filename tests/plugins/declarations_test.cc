// What a stage of a plugin declares is used under whatever name it has: weir knows none of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

std::string Plugin() { return std::string(WEIR_PLUGINS) + "/libdeclaring_plugin.so"; }

class DeclarationsTest : public testing::Test {
 protected:
  std::string JobWith(const std::string& stage) {
    return scratch_
        .Write("job.yaml",
               TrainingYaml({.settings = "threads: 1\nplugins: ['" + Plugin() + "']",
                             .source = "directory: {path: " + DrawnPictures<2>().string() +
                                       ", validation_split: 0}",
                             .picture_stages = {"augment: {size: [32, 32]}", stage}}))
        .string();
  }

  // The lowest ceiling that works.
  static std::size_t Smallest(const std::string& job, const std::vector<std::string>& more) {
    const ProcessOutcome outcome = Weir(Joined({"plan", job, "--json"}, more));
    if (outcome.status != 0) throw std::runtime_error(outcome.err);
    return nlohmann::json::parse(outcome.out)["smallest_bytes"];
  }

  ScratchFolder scratch_;
};

TEST_F(DeclarationsTest, WhatCanBeLoweredIsNamedByItsPlaceInTheFile) {
  const std::string job = JobWith("frame: {as: wide, margin: 400}");
  const std::vector<std::string> without = {"--set", "pipeline.wide.margin=0"};
  const std::string between = std::to_string((Smallest(job, {}) + Smallest(job, without)) / 2);
  const ProcessOutcome outcome = Weir({"plan", job, "--memory", between});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("\n    pipeline.wide.margin: 0 in place of 400 (fits in "));
  const ProcessOutcome changed = Weir(Joined({"plan", job, "--memory", between}, without));
  EXPECT_EQ(changed.status, 0) << changed.err;
}

TEST_F(DeclarationsTest, ANeedThatNothingGivesIsRefusedAtItsPlace) {
  const std::string job = JobWith("focus");
  const ProcessOutcome outcome = Weir({"plan", job});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "weir: " + job + ":7:5: `focus (plugin '" + Plugin() +
                             "')` needs the lens, which nothing before it gives\n"
                             "    7 |   - focus\n"
                             "      |     ^\n"
                             "  Put `camera` before it.\n");
  EXPECT_THAT(Weir({"stages", "focus", "--plugin", Plugin()}).out,
              HasSubstr("  takes image/u8hwc, gives image/u8hwc\n  needs the lens\n\n"));
}

TEST_F(DeclarationsTest, AResourceOfAnotherTypeIsNamedWithWhoPutItAndWhoReadsIt) {
  const ProcessOutcome outcome = Weir({"plan", JobWith("miscount")});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("the resource `sample counts` that `miscount (plugin '" + Plugin() +
                              "')` reads is the type "),
                    HasSubstr("SampleCount, and the one that `directory` put there is "
                              "weir::SampleCounts\n  Use the resource's own header, or a kResource "
                              "of another name.\n")));
}

TEST_F(DeclarationsTest, ASourceReadsTheDataThatItIsMadeFor) {
  const std::string run = (scratch_ / "run").string();
  const ProcessOutcome trained = Weir({"run", JobWith("frame"), "--out", run});
  ASSERT_EQ(trained.status, 0) << trained.err;
  std::string lines;
  for (const fs::path& picture : DrawnFiles<2>()) {
    lines += picture.parent_path().filename().string() + " " + picture.string() + "\n";
  }
  const std::string album = scratch_.Write("all.album", lines).string();
  const ProcessOutcome evaluated = Weir({"evaluate", run, album});
  EXPECT_EQ(evaluated.status, 0) << evaluated.err;
  const std::string folder = DrawnPictures<2>().string();
  EXPECT_EQ(evaluated.out, Weir({"evaluate", run, folder}).out);

  const ProcessOutcome refused = Weir({"evaluate", run, album, "--source", "file=x"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("`file` is DATA's, or the model's, already"));
}

}  // namespace
}  // namespace weir
