// `weir predict` as a person runs it: from a run or a model alone, over lists, as tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/pipelines/training_run.h"
#include "tests/support/file_text.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// One run for all of them.
class PredictTest : public TrainingRun {
 protected:
  static void SetUpTestSuite() {
    scratch_of_all_ = new ScratchFolder();
    const fs::path config = scratch_of_all_->Write(
        "job.yaml", TrainingYaml({.source = "directory: {path: " + DrawnPictures<8>().string() +
                                            ", validation_split: 0.25}",
                                  .picture_stages = {"augment: {size: [48, 40], zoom: 0.3}",
                                                     "center_crop: {size: 32}"}}));
    ASSERT_EQ(Weir({"run", config.string(), "--out", Run().string()}).status, 0);
  }
  static void TearDownTestSuite() {
    delete scratch_of_all_;
    scratch_of_all_ = nullptr;
  }

  static fs::path Run() { return *scratch_of_all_ / "run"; }
  static std::string Pictures() { return DrawnPictures<8>().string(); }
  static std::string Picture() {
    return fs::directory_iterator(*fs::directory_iterator(Pictures()))->path().string();
  }

  // With `text` on standard input, a pipe.
  ProcessOutcome WithInput(const std::string& text, const std::vector<std::string>& arguments) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    const ProcessOutcome outcome =
        Weir(arguments, {.in_child = [&] { ::dup2(ends[0], STDIN_FILENO); }});
    ::close(ends[0]);
    return outcome;
  }

  static std::vector<std::string> LinesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  static ScratchFolder* scratch_of_all_;
};

ScratchFolder* PredictTest::scratch_of_all_ = nullptr;

TEST_F(PredictTest, AnswersAlikeFromARunItsModelAndACopyOfThat) {
  const std::string answers = Weir({"predict", Run().string(), Pictures(), "--json"}).out;
  EXPECT_THAT(LinesOf(answers), SizeIs(48));
  EXPECT_EQ(Weir({"predict", (Run() / "model").string(), Pictures(), "--json"}).out, answers);
  fs::copy(Run() / "model", scratch_ / "copy");
  const ProcessOutcome alone =
      Weir({"predict", (scratch_ / "copy").string(), Pictures(), "--json", "--memory", "96MiB"});
  EXPECT_EQ(alone.out, answers) << alone.err;
  const ProcessOutcome evaluated =
      Weir({"evaluate", (scratch_ / "copy").string(), Pictures(), "--json"});
  EXPECT_EQ(evaluated.status, 0) << evaluated.err;
  EXPECT_EQ(Weir({"evaluate", (scratch_ / "copy").string()}).err,
            "weir: " + (scratch_ / "copy").string() +
                " is a model without its run\n  Name labelled pictures behind it: a folder with a "
                "sub-folder for each class, a table, or shards.\n");
}

TEST_F(PredictTest, TakesAListOnStandardInput) {
  const std::string answers = Weir({"predict", Run().string(), Pictures(), "--json"}).out;
  std::string list;
  for (const std::string& line : LinesOf(answers)) {
    list += nlohmann::json::parse(line)["path"].get<std::string>() + "\n";
  }
  EXPECT_EQ(WithInput(list, {"predict", Run().string(), "-", "--json"}).out, answers);
  const ProcessOutcome empty = WithInput("", {"predict", Run().string(), "-"});
  EXPECT_EQ(empty.status, 4);
  EXPECT_EQ(empty.err, "weir: standard input names no pictures\n  Put a path on each line.\n");
  EXPECT_THAT(WithInput("gone.jpg\n", {"predict", Run().string(), "-"}).err,
              StartsWith("weir: standard input:1: 'gone.jpg' does not exist\n"));
}

TEST_F(PredictTest, GivesARowForWhatIsNoPicture) {
  const fs::path text = scratch_.Write("no, \"picture\".jpg", "text");
  const ProcessOutcome csv =
      Weir({"predict", Run().string(), text.string(), Picture(), "--csv", "--top", "2"});
  EXPECT_EQ(csv.status, 0);
  EXPECT_EQ(csv.err, "");
  const std::vector<std::string> rows = LinesOf(csv.out);
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[0], "path,class,probability,class_2,probability_2,error");
  const auto failed =
      std::find_if(rows.begin(), rows.end(), [](const std::string& row) { return row[0] == '"'; });
  ASSERT_NE(failed, rows.end());
  EXPECT_EQ(*failed, "\"" + (scratch_ / "no, \"\"picture\"\".jpg").string() +
                         "\",,,,,\"is text, which weir does not read\"");
  const ProcessOutcome json = Weir({"predict", Run().string(), text.string(), Picture(), "--json"});
  EXPECT_EQ(json.err, "");
  EXPECT_THAT(json.out, HasSubstr("\",\"error\":\"is text, which weir does not read\"}\n"));
  EXPECT_EQ(Weir({"predict", Run().string(), text.string(), "--csv"}).status, 4);
}

TEST_F(PredictTest, AnswersNoneOfTheseBelowTheThreshold) {
  const auto row = [&](const char* threshold) {
    return nlohmann::json::parse(
        Weir({"predict", Run().string(), Picture(), "--json", "--threshold", threshold}).out);
  };
  EXPECT_EQ(row("0")["answer"], row("0")["predictions"][0]["class"]);
  EXPECT_TRUE(row("1")["answer"].is_null());
  EXPECT_THAT(Weir({"predict", Run().string(), Picture(), "--threshold", "1"}).out,
              HasSubstr(":  none of these,  "));
  const std::vector<std::string> table = LinesOf(
      Weir({"predict", Run().string(), Picture(), "--threshold", "1", "--csv", "--top", "1"}).out);
  EXPECT_EQ(table.at(0), "path,answer,class,probability,error");
  EXPECT_THAT(table.at(1), StartsWith(Picture() + ",,"));
  EXPECT_EQ(Weir({"predict", Run().string(), Picture(), "--threshold", "1.5"}).status, 2);
  EXPECT_EQ(Weir({"predict", Run().string(), Picture(), "--json", "--csv"}).status, 2);
}

TEST_F(PredictTest, RefusesAModelAloneThatDoesNotSayHowItsPicturesAreMadeReady) {
  fs::copy(Run() / "model", scratch_ / "old");
  auto description = nlohmann::ordered_json::parse(FileText(scratch_ / "old/model.json"));
  EXPECT_THAT(description["pictures"], SizeIs(3));
  description.erase("pictures");
  scratch_.Write("old/model.json", description.dump());
  const ProcessOutcome outcome = Weir({"predict", (scratch_ / "old").string(), Picture()});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("does not say by which stages its pictures are made ready"),
                    HasSubstr("Give the folder of the run")));
}

}  // namespace
}  // namespace weir
