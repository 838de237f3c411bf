// Plugins as a person meets them: those that work, and what is said of those that do not.
#include "framework/plugin/plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kAgain = "\n  Build it anew against the weir that is to load it.\n";
constexpr const char* kBuildIt =
    "\n  Build it with weir_add_plugin() of find_package(weir); `weir new-plugin` writes an "
    "example.\n";

std::string Plugin(const std::string& name) {
  return std::string(WEIR_PLUGINS) + "/lib" + name + ".so";
}

std::string Named(const std::string& plugin) { return "weir: plugin '" + plugin + "' "; }

std::string Pictures() { return DrawnPictures<2>().string(); }

// A configuration with the stage `faulty`, of the plugin given.
class PluginTest : public testing::Test {
 protected:
  ProcessOutcome Command(const std::string& command, const std::string& plugin) {
    scratch_.Write(
        "job.yaml",
        TrainingYaml({.settings = "plugins: ['" + plugin + "']",
                      .source = "directory: {path: " + Pictures() + ", validation_split: 0}",
                      .picture_stages = {"augment: {size: [32, 32]}", "faulty: {times: 2}"}}));
    std::vector<std::string> words = {command, (scratch_ / "job.yaml").string()};
    if (command == "run") words.insert(words.end(), {"--out", (scratch_ / "out").string()});
    return Weir(words);
  }

  ScratchFolder scratch_;
};

TEST_F(PluginTest, ItsStageIsOneOfThePipeline) {
  const ProcessOutcome run = Command("run", Plugin("fine_plugin"));
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(Command("plan", Plugin("fine_plugin")).out,
              HasSubstr("\n  faulty  ─▶ image/u8hwc\n"));
}

TEST_F(PluginTest, ItsSourceMayHaveLabelsThatNobodyNamed) {
  const fs::path picture = DrawnFiles<2>().front();
  scratch_.Write("job.yaml", "plugins: ['" + Plugin("far_labels_plugin") +
                                 "']\npipeline:\n  - far_labels: {path: '" + picture.string() +
                                 "'}\n  - decode\n  - contact_sheet: {path: sheet.png}\n");
  const std::string job = (scratch_.path() / "job.yaml").string();
  const ProcessOutcome checked = Weir({"check", job});
  EXPECT_EQ(checked.status, 0) << checked.err;
  EXPECT_THAT(checked.out, EndsWith("job.yaml is fine\n"));
  const ProcessOutcome run = Weir({"run", job, "--out", (scratch_.path() / "out").string()});
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST_F(PluginTest, ARunFolderRemembersIt) {
  ASSERT_EQ(Command("run", Plugin("fine_plugin")).status, 0);
  const ProcessOutcome predicted = Weir({"predict", (scratch_ / "out").string(), Pictures()});
  EXPECT_EQ(predicted.status, 0) << predicted.err;
}

TEST_F(PluginTest, ARelativePathIsRelativeToTheFile) {
  fs::copy(Plugin("fine_plugin"), scratch_ / "here.so");
  const ProcessOutcome planned = Command("plan", "here.so");
  EXPECT_EQ(planned.status, 0) << planned.err;
}

TEST_F(PluginTest, ParametersOfItsStagesAreCheckedAtTheirPlace) {
  const std::string job = (scratch_ / "job.yaml").string();
  Command("plan", Plugin("fine_plugin"));
  const ProcessOutcome outcome = Weir({"plan", job, "--set", "pipeline.faulty.times=4"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("`times` takes 1 to 3, not 4"));
}

TEST_F(PluginTest, OfAnotherBuildItIsRefusedBeforeItsCodeRuns) {
  const std::string plugin = Plugin("other_build_plugin");
  const ProcessOutcome outcome = Command("plan", plugin);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(ReadBuildId(plugin), StartsWith("weir 0.0.1, headers 000000000000, compiler "));
  EXPECT_EQ(outcome.err, Named(plugin) + "was built against another weir: " + ReadBuildId(plugin) +
                             "; this is " + BuildId() + kAgain);
}

TEST_F(PluginTest, WhatIsNoPluginIsRefused) {
  const std::string text = (scratch_ / "text.so").string();
  scratch_.Write("text.so", "not a shared object");
  EXPECT_EQ(Command("plan", text).err, Named(text) + "is no shared object" + kBuildIt);

  const std::string plain = Plugin("no_plugin");
  EXPECT_EQ(
      Command("plan", plain).err,
      Named(plain) + "is a shared object, but no plugin of weir's: it has no build id" + kBuildIt);

  const std::string absent = (scratch_ / "absent.so").string();
  EXPECT_EQ(Command("plan", absent).err,
            Named(absent) +
                "cannot be opened: No such file or directory\n  A relative path is relative to "
                "the folder of the file that it is written in; --set plugins=[FILE] gives another "
                "one.\n");

  const ProcessOutcome folder = Command("plan", scratch_.path().string());
  EXPECT_EQ(folder.status, 2);
  EXPECT_THAT(folder.err, HasSubstr("is a folder, not a file"));
}

// Cut off anywhere, it is refused: not one is loaded, none makes weir crash.
TEST_F(PluginTest, CutOffItIsRefused) {
  const std::string bytes = FileText(Plugin("fine_plugin"));
  for (const std::size_t size : {0UL, 3UL, 16UL, 63UL, 64UL, 200UL, 700UL, bytes.size() / 2}) {
    const fs::path cut = scratch_ / "cut.so";
    std::ofstream(cut, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
    const ProcessOutcome outcome = Command("plan", cut.string());
    EXPECT_EQ(outcome.status, 2) << size << ": " << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith(Named(cut.string()))) << size;
  }
}

TEST_F(PluginTest, ThatThrowsIsNamed) {
  const std::string at_load = Plugin("throws_on_load_plugin");
  const ProcessOutcome loaded = Command("plan", at_load);
  EXPECT_EQ(loaded.status, 2);
  EXPECT_EQ(loaded.err, Named(at_load) + "threw while it was loaded: there is no licence\n");

  const std::string in_constructor = Plugin("throws_plugin");
  const ProcessOutcome made = Command("plan", in_constructor);
  EXPECT_EQ(made.status, 2);
  EXPECT_EQ(made.err,
            Named(in_constructor) + "threw while it made the stage faulty: there is no lens\n");

  const std::string at_work = Plugin("throws_at_work_plugin");
  const ProcessOutcome ran = Command("run", at_work);
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err,
              HasSubstr("weir: stage faulty (plugin '" + at_work + "'): the lens broke\n"));
}

TEST_F(PluginTest, ThatCrashesIsNamed) {
  for (const std::string name : {"crashes_plugin", "aborts_plugin"}) {
    const ProcessOutcome outcome = Command("plan", Plugin(name));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.err,
                EndsWith(Named(Plugin(name)) +
                         "crashed while it made the stage faulty\n  Take it out of `plugins`, or "
                         "see to it in a debugger.\n"));
  }
}

TEST_F(PluginTest, ThatCrashesAtWorkIsNamed) {
  const ProcessOutcome outcome = Command("run", Plugin("crashes_at_work_plugin"));
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("weir: stage faulty crashed: SIGSEGV\n  If it is a plugin's, "
                                     "take it out, or see to it in a debugger.\n"));
}

TEST_F(PluginTest, ThatGivesLessThanItSaysIsNamed) {
  const std::string plugin = Plugin("gives_too_little_plugin");
  const ProcessOutcome outcome = Command("run", plugin);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err,
              HasSubstr("weir: stage faulty (plugin '" + plugin +
                        "'): it gives image/u8hwc with less in it than its size says\n"));
}

TEST_F(PluginTest, ThatLeasesWhatItHasNotDeclaredIsNamed) {
  const std::string plugin = Plugin("leases_too_much_plugin");
  const ProcessOutcome outcome = Command("run", plugin);
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err,
              HasSubstr("weir: stage faulty (plugin '" + plugin +
                        "'): faulty cannot hold 1.00 MiB: 0 B of 0 B are in use\n  What a stage "
                        "takes in Open() it has to declare in footprint().\n"));
}

TEST_F(PluginTest, WithAnotherTypeUnderAKnownNameIsNamed) {
  const std::string plugin = Plugin("takes_another_type_plugin");
  const ProcessOutcome outcome = Command("plan", plugin);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("what `faulty (plugin '" + plugin + "')` calls image/u8hwc is the "),
                    HasSubstr("Picture, and what `augment` gives is weir::Image\n")));
}

TEST_F(PluginTest, AStageOfATakenNameIsRefused) {
  const std::string plugin = Plugin("takes_a_name_plugin");
  EXPECT_EQ(Command("plan", plugin).err,
            Named(plugin) +
                "brings a stage `decode`, which weir has itself\n  Rename it: kName of "
                "the stage is its name in the YAML.\n");
}

TEST_F(PluginTest, IsFoundInTheFoldersOfItsSearchPath) {
  fs::create_directory(scratch_ / "plugins");
  fs::copy(Plugin("fine_plugin"), scratch_ / "plugins/fine.so");
  const std::string folder = (scratch_ / "plugins").string();
  const ProcessSetup found{.environment = {"WEIR_PLUGIN_PATH=/absent:" + folder}};
  const ProcessOutcome listed = Weir({"stages", "faulty"}, found);
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(listed.out,
              AllOf(StartsWith("faulty: Gives what it takes.\n  of the plugin '" + folder +
                               "/fine.so'\n  takes image/u8hwc, gives "
                               "image/u8hwc\n"),
                    HasSubstr("times: a whole number, 1 to 3; default 1")));
  EXPECT_EQ(Weir({"stages", "faulty"}).status, 2);
  EXPECT_EQ(Weir({"stages", "faulty", "--plugin", folder + "/fine.so"}).status, 0);
  EXPECT_EQ(Weir({"stages", "faulty", "--plugin", folder + "/fine.so"}, found).status, 0);
}

TEST(NewPlugin, RefusesWhatCannotBeAName) {
  const ScratchFolder scratch;
  const auto outcome = [&](const std::string& name) {
    return Weir({"new-plugin", name, "--out", (scratch / "new").string()});
  };
  for (const std::string name : {"Sepia", "2d", "a-b", "a__b", "a_", "", "../x"}) {
    EXPECT_EQ(outcome(name).status, 2) << name;
    EXPECT_THAT(outcome(name).err, HasSubstr("`" + name + "` cannot be the name of a stage\n"));
  }
  EXPECT_THAT(outcome("decode").err, HasSubstr("there is a stage `decode` already\n"));
  EXPECT_FALSE(fs::exists(scratch / "new"));
}

TEST(NewPlugin, WritesOverNothing) {
  const ScratchFolder scratch;
  const std::string folder = (scratch / "random_tone").string();
  const ProcessOutcome outcome = Weir({"new-plugin", "random_tone", "--out", folder});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(FileText(folder + "/random_tone.h"),
              AllOf(HasSubstr("class RandomTone final"), HasSubstr("kName = \"random_tone\""),
                    testing::Not(HasSubstr("@"))));
  EXPECT_THAT(Weir({"new-plugin", "random_tone", "--out", folder}).err,
              StartsWith("weir: '" + folder + "' is there already\n"));
}

}  // namespace
}  // namespace weir
