// Data as people have them: what `check`, `run`, `evaluate` and `predict` say of what they leave
// out, cannot read, or find twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DataCheckTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  // Copies `count` pictures into a folder, as <first>.jpg and so on.
  void AddClass(const std::string& folder, int count, int first = 0) const {
    fs::create_directories(scratch_ / folder);
    for (int i = first; i < first + count; ++i) {
      const fs::path& from = pictures_.at(static_cast<std::size_t>(i) % pictures_.size());
      fs::copy_file(from, scratch_ / folder / (std::to_string(i) + from.extension().string()));
    }
  }
  // Files of that ending that are no pictures.
  void AddOthers(const std::string& folder, const std::string& ending, int count,
                 const std::string& content = "<html>") const {
    for (int i = 0; i < count; ++i) {
      scratch_.Write(folder + "/" + std::to_string(i) + ending, content);
    }
  }
  // Cuts all pictures of a folder in half, which their headers do not show.
  void CutInHalf(const std::string& folder) const {
    for (const auto& entry : fs::directory_iterator(scratch_ / folder)) {
      fs::resize_file(entry.path(), entry.file_size() / 2);
    }
  }

  ProcessOutcome Command(const std::string& command, const std::string& source,
                         const std::vector<std::string>& more = {}) const {
    scratch_.Write("c.yaml", TrainingYaml({.settings = "seed: 3\nmemory: {host: 256MiB}",
                                           .source = source,
                                           .batch_stages = {}}));
    ProcessOutcome outcome = Weir(Joined({command, path("c.yaml")}, more));
    outcome.out = scratch_.Shortened(outcome.out);
    outcome.err = scratch_.Shortened(outcome.err);
    return outcome;
  }
  ProcessOutcome Check(const std::string& source) const { return Command("check", source); }
  ProcessOutcome Run(const std::string& source, const std::vector<std::string>& more = {}) const {
    return Command("run", source, Joined({"--out", path("run")}, more));
  }
  json Summary() const { return json::parse(FileText(path("run/summary.json"))); }

  ScratchFolder scratch_;
  const std::vector<fs::path> pictures_ = DrawnFiles<8>();
};

TEST_F(DataCheckTest, WhatIsLeftOutIsSaidEverywhere) {
  AddClass("t/ants", 4);
  AddClass("t/bees", 4, 4);
  fs::copy_file(pictures_[0], scratch_ / "t/ants/browser.jfif");
  fs::copy_file(pictures_[1], scratch_ / "t/ants/download.JPG.1");
  fs::copy_file(pictures_[2], scratch_ / "t/bees/hash");
  AddOthers("t/ants", ".docx", 2);
  AddOthers("t/bees", ".txt", 3);
  scratch_.Write("t/ants/.DS_Store");
  scratch_.Write("t/bees/Thumbs.db");
  const std::string said = "5 files were left out: 2 .docx and 3 .txt\n";
  const std::string source = "directory: {path: t}";

  const ProcessOutcome checked = Check(source);
  EXPECT_EQ(checked.status, 0) << checked.err;
  EXPECT_EQ(checked.out, "note: " + said + "$/c.yaml is fine\n");

  const ProcessOutcome ran = Run(source);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("2 classes, 11 pictures to train on"), HasSubstr(said)));
  EXPECT_EQ(Summary()["left_out"], (json{{".docx", 2}, {".txt", 3}}));

  const ProcessOutcome evaluated = Weir({"evaluate", path("run"), path("t"), "--json"});
  EXPECT_EQ(evaluated.status, 0);
  EXPECT_EQ(evaluated.err, "weir: " + said);
  EXPECT_EQ(json::parse(evaluated.out)["left_out"], (json{{".docx", 2}, {".txt", 3}}));
  EXPECT_EQ(json::parse(evaluated.out)["images"], 11);
  EXPECT_EQ(Weir({"predict", path("run"), path("t/bees")}).err,
            "weir: 3 files were left out: 3 .txt\n");
}

TEST_F(DataCheckTest, AClassOfWhichNothingCanBeReadIsRefusedBeforeAnythingIsTrained) {
  const struct {
    const char* ending;
    const char* content;
    const char* reason;
  } kinds[] = {{".HEIC",
                "\0\0\0\x24"
                "ftypheic",
                "is "},
               {".jpg", "<!DOCTYPE html>", "is "},
               {".png", "version https://git-lfs.github.com/spec/v1\n", "is "},
               {".gif", "", "is empty"}};
  AddClass("t/dogs", 4);
  for (const auto& kind : kinds) {
    fs::remove_all(scratch_ / "t/cats");
    AddOthers("t/cats", kind.ending, 8, kind.content);
    const std::string said =
        "the class 'cats': not one of its 8 pictures can be used; '$/t/cats/0" +
        std::string(kind.ending) + "' " + kind.reason;
    const ProcessOutcome checked = Check("directory: {path: t}");
    EXPECT_EQ(checked.status, 4);
    EXPECT_THAT(checked.out, StartsWith(said));
    EXPECT_THAT(checked.out, HasSubstr("  Replace them, or leave the class out.\n"));
    const ProcessOutcome ran = Run("directory: {path: t}");
    EXPECT_EQ(ran.status, 4);
    EXPECT_THAT(ran.err, StartsWith("weir: " + said));
    EXPECT_FALSE(fs::exists(scratch_ / "run"));
  }
}

TEST_F(DataCheckTest, OfALargeClassTheFirstThousandAreLookedAt) {
  AddClass("t/dogs", 4);
  AddOthers("t/cats", ".jpg", 1100);
  const std::string said =
      "the class 'cats': not one of the first 1000 pictures can be used; '$/t/cats/";
  const ProcessOutcome checked = Check("directory: {path: t}");
  EXPECT_EQ(checked.status, 4);
  EXPECT_THAT(checked.out, StartsWith(said));
  fs::remove(scratch_ / "t/cats/0.jpg");
  AddClass("t/cats", 1);  // one that can be read, somewhere
  const ProcessOutcome ran = Run("directory: {path: t, shuffle: false}");
  EXPECT_EQ(ran.status, 0) << ran.err;
}

TEST_F(DataCheckTest, AClassThatIsLostInTheFirstEpochEndsTheRun) {
  AddClass("t/dogs", 6);
  AddClass("t/cats", 6, 6);
  CutInHalf("t/cats");
  EXPECT_EQ(Check("directory: {path: t}").status, 0) << "headers are whole";
  const ProcessOutcome ran = Run("directory: {path: t}");
  EXPECT_EQ(ran.status, 4);
  EXPECT_EQ(ran.err,
            "weir: epoch 1/1 train: not one picture of 'cats' could be used\n"
            "  $/run/dropped.jsonl says why; replace them, or leave the class out.\n");
  EXPECT_FALSE(fs::exists(scratch_ / "run/model"));
}

TEST_F(DataCheckTest, AClassThatIsNotMeasuredIsNamedBesideTheAccuracy) {
  AddClass("t/dogs", 6);
  AddClass("t/cats", 6, 6);
  AddClass("v/dogs", 2, 12);
  AddClass("v/cats", 2, 14);
  CutInHalf("v/cats");
  const ProcessOutcome ran = Run("directory: {path: t, validation: v}");
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("epoch 1/1 validation: not one picture of 'cats' could be used\n"),
                    HasSubstr(" (without 'cats'), ")));
}

TEST_F(DataCheckTest, NamesTenClassesAndCountsTheRest) {
  for (int label = 10; label < 22; ++label) {
    AddClass("t/" + std::to_string(label), 2, label);
    AddOthers("v/" + std::to_string(label), ".jpg", 1);
  }
  const std::string said = Check("directory: {path: t, validation: v}").out;
  EXPECT_THAT(said, HasSubstr("note: the class '19': not one of its 1 picture to validate with"));
  EXPECT_THAT(said, Not(HasSubstr("note: the class '20'")));
  EXPECT_THAT(said, HasSubstr("note: 2 more classes to validate with: not one of the pictures that "
                              "were looked at can be used\n"));
}

TEST_F(DataCheckTest, CheckCountsWhatCannotBeUsedAndSaysWhy) {
  AddClass("t/dogs", 5);
  AddClass("t/cats", 5, 5);
  AddOthers("t/cats", ".bmp", 2);
  AddOthers("t/dogs", ".png", 1, "");
  const ProcessOutcome checked = Check("directory: {path: t}");
  EXPECT_EQ(checked.status, 0);
  EXPECT_THAT(checked.out,
              AllOf(StartsWith("note: of 13 pictures that were looked at, 3 cannot be used:\n"
                               "  2 like '$/t/cats/0.bmp', which is "),
                    HasSubstr("\n  1: '$/t/dogs/0.png', which is empty\n"),
                    EndsWith("\n$/c.yaml is fine\n")));
}

TEST_F(DataCheckTest, ATableMayListAPictureMoreThanOnce) {
  AddClass("p", 6);
  const std::string ending = pictures_[0].extension();
  std::string table = "path,label,split\n";
  for (int i = 0; i < 6; ++i) {
    table += "p/" + std::to_string(i) + ending + (i % 2 ? ",ants,train\n" : ",bees,train\n");
  }
  scratch_.Write("t.csv", table + "p/0" + ending + ",bees,train\np/./1" + ending +
                              ",bees,train\np/2" + ending + ",bees,val\np/4" + ending +
                              ",bees,train\np/3" + ending + ",Ants,train\n");
  const ProcessOutcome checked = Check("manifest: {path: t.csv, split_column: split}");
  EXPECT_EQ(checked.status, 0) << checked.err;
  EXPECT_EQ(checked.out,
            "note: the classes 'Ants' and 'ants' differ in case alone\n"
            "note: 2 pictures are listed under two labels, such as '$/p/1" +
                ending +
                "'\n"
                "note: 1 picture is listed both to train on and to validate with: '$/p/2" +
                ending +
                "'\n"
                "note: 2 pictures are listed more than once, such as '$/p/0" +
                ending +
                "'\n"
                "$/c.yaml is fine\n");
}

TEST_F(DataCheckTest, AFolderWithASignInItsNameIsTheOneThatIsSet) {
  AddClass("photos/ants", 3);
  AddClass("photos/bees", 3, 3);
  AddClass("photos #1/wasps", 2);
  AddClass("photos #1/moths", 2, 2);
  const std::string set = "pipeline.directory.path=" + path("photos #1");
  const ProcessOutcome ran = Run("directory: {path: photos}", {"--set", set});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("2 classes, 4 pictures to train on"));
  EXPECT_THAT(FileText(path("run/model/model.json")),
              AllOf(HasSubstr("moths"), HasSubstr("wasps")));
}

TEST_F(DataCheckTest, EvaluateSaysWhichClassItCouldNotMeasure) {
  AddClass("t/ants", 4);
  AddClass("t/bees", 4, 4);
  ASSERT_EQ(Run("directory: {path: t}").status, 0);
  AddClass("e/ants", 2, 8);
  AddOthers("e/bees", ".jpg", 2);
  const ProcessOutcome evaluated = Weir({"evaluate", path("run"), path("e")});
  EXPECT_EQ(evaluated.status, 0);
  EXPECT_THAT(evaluated.err, EndsWith("weir: not one picture of the class 'bees' could be used\n"));
}

TEST_F(DataCheckTest, EvaluateTakesEitherFormOfAName) {
  const std::string nfc = "M\xc3\xbcller", nfd = "Mu\xcc\x88ller";  // as macOS writes it
  AddClass("t/ants", 4);
  AddClass("t/" + nfd, 4, 4);
  AddClass("e/" + nfc, 3, 8);
  AddClass("e/Ants", 2, 11);
  ASSERT_EQ(Run("directory: {path: t}").status, 0);
  const ProcessOutcome evaluated = Weir({"evaluate", path("run"), path("e"), "--json"});
  EXPECT_EQ(evaluated.status, 0) << evaluated.err;
  EXPECT_EQ(json::parse(evaluated.out)["per_class"][nfd]["images"], 3);
  EXPECT_EQ(scratch_.Shortened(evaluated.err),
            "weir: $/e/Ants is left out: the model has no class of that name; 'ants' differs in "
            "case alone\n");
}

}  // namespace
}  // namespace weir
