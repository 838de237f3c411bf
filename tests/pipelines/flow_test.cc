// Pipelines that are no chain, and those that do not train, as a person runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/weights/weights_file.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kPerClass = 8;

std::string Pictures() { return DrawnPictures<kPerClass>().string(); }

// Width and height of a PNG; zeros where it is none.
std::pair<int, int> SizeOfPng(const fs::path& path) {
  const std::string bytes = FileText(path);
  if (bytes.size() < 24 || bytes.substr(1, 3) != "PNG") return {0, 0};
  const auto number = [&](std::size_t at) {
    int value = 0;
    for (std::size_t i = at; i < at + 4; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  return {number(16), number(20)};
}

class FlowTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(scratch_ / name) << text;
    return (scratch_ / name).string();
  }
  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  ScratchFolder scratch_;
};

TEST_F(FlowTest, AJobWithoutTrainingIsRunOnceAndLeavesARunFolder) {
  const ProcessOutcome outcome = Weir({"run", "configs/contact_sheet.yaml", "--out", path("run"),
                                       "--set", "pipeline.directory.path=" + Pictures(), "--set",
                                       "pipeline.contact_sheet.path=" + path("sheets/sheet.png")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, ContainsRegex("\n[0-9]+ samples, [0-9]+ a second, [0-9.]+ MiB held at "
                                         "most of 64.0 MiB\n"));
  EXPECT_EQ(SizeOfPng(path("sheets/sheet.png")), std::pair(8 * 164 + 4, 4 * 164 + 4));
  const auto summary = nlohmann::json::parse(FileText(path("run/summary.json")));
  EXPECT_LE(summary["peak_rss_anon_bytes"], 64 << 20);
  EXPECT_GT(summary["images"], 32);
  EXPECT_THAT(FileText(path("run/config.yaml")), Not(HasSubstr("training:")));
  EXPECT_FALSE(fs::exists(path("run/model")));

  EXPECT_EQ(Weir({"run", "configs/contact_sheet.yaml", "--out", path("run"), "--resume"}).status,
            2);
}

TEST_F(FlowTest, AJobOfWhichNotOnePictureCanBeUsedFails) {
  for (const std::string name : {"pictures/a/1.jpg", "pictures/b/2.png"}) {
    fs::create_directories((scratch_ / name).parent_path());
    Write(name, "no picture");
  }
  const ProcessOutcome outcome = Weir({"run", "configs/contact_sheet.yaml", "--out", path("run"),
                                       "--set", "pipeline.directory.path=" + path("pictures"),
                                       "--set", "pipeline.contact_sheet.path=" + path("s.png")});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("weir: not one picture could be used\n  " +
                                     path("run/dropped.jsonl") + " says why."));
}

TEST_F(FlowTest, PreviewDrawsWhatTrainingWillSee) {
  const auto draw = [&](const std::string& name, const std::vector<std::string>& more) {
    const ProcessOutcome outcome =
        Weir(DrawnDemo<kPerClass>("preview", Joined({"--out", path(name)}, more)));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(draw("one.png", {"--columns", "3", "--rows", "2", "--cell", "80"}),
            path("one.png") + ": 6 pictures as epoch 1 sees them\n");
  EXPECT_EQ(SizeOfPng(path("one.png")), std::pair(3 * 84 + 4, 2 * 84 + 4));
  draw("again.png", {"--columns", "3", "--rows", "2", "--cell", "80", "--set", "threads=1"});
  EXPECT_EQ(FileText(path("again.png")), FileText(path("one.png")));
  draw("later.png", {"--columns", "3", "--rows", "2", "--cell", "80", "--epoch", "2"});
  EXPECT_NE(FileText(path("later.png")), FileText(path("one.png")));
  // Fewer pictures than there is room for: the sheet is as high as they need.
  draw("all.png", {"--columns", "100", "--rows", "100", "--cell", "8"});
  EXPECT_LT(SizeOfPng(path("all.png")).second, 100 * 12);
}

TEST_F(FlowTest, ResizesAFolderIntoShardsWithin64MiB) {
  const std::vector<std::string> command = {
      "run",   "configs/shards.yaml",
      "--set", "pipeline.directory.path=" + Pictures(),
      "--set", "pipeline.webdataset_writer.folder=" + path("shards"),
      "--set", "pipeline.webdataset_writer.shard_size=1MiB",
      "--set", "pipeline.encode.quality=100",
      "--out"};
  const auto run = [&](const std::string& out) { return Weir(Joined(command, {path(out)})); };
  const ProcessOutcome outcome = run("run");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto summary = nlohmann::json::parse(FileText(path("run/summary.json")));
  EXPECT_LE(summary["peak_rss_anon_bytes"], 64 << 20);

  fs::create_directory(path("out"));
  int shards = 0;
  for (const auto& entry : fs::directory_iterator(path("shards"))) {
    ++shards;
    EXPECT_EQ(std::system(("tar -xf " + entry.path().string() + " -C " + path("out")).c_str()), 0);
  }
  EXPECT_GE(shards, 2);
  std::size_t pictures = 0;
  for (const auto& entry : fs::directory_iterator(path("out"))) {
    if (entry.path().extension() != ".jpg") continue;
    ++pictures;
    EXPECT_THAT(FileText(entry.path()), StartsWith("\xff\xd8"));
    fs::path beside = entry.path();
    const auto origin = nlohmann::json::parse(FileText(beside.replace_extension(".json")));
    EXPECT_EQ(fs::path(origin["path"].get<std::string>()).parent_path().filename(),
              origin["class"].get<std::string>());
    EXPECT_TRUE(fs::exists(beside.replace_extension(".cls")));
  }
  EXPECT_EQ(pictures, summary["images"]);

  const ProcessOutcome again = run("again");
  EXPECT_EQ(again.status, 4);
  EXPECT_THAT(again.err, AllOf(HasSubstr(".tar is there already"),
                               HasSubstr("Give another `folder` or `prefix`")));
}

TEST_F(FlowTest, ExtractsFeaturesTheSameAtAnyThreadCount) {
  const auto run = [&](const std::string& threads) {
    const std::string file = path("features" + threads + ".safetensors");
    const ProcessOutcome outcome =
        Weir({"run", "configs/features.yaml", "--set", "pipeline.directory.path=" + Pictures(),
              "--set", "pipeline.safetensors.path=" + file, "--set", "threads=" + threads, "--out",
              path("run" + threads)});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return file;
  };
  const std::string file = run("1");
  EXPECT_TRUE(FileText(run("4")) == FileText(file));

  const auto summary = nlohmann::json::parse(FileText(path("run1/summary.json")));
  const std::int64_t images = summary["images"];
  const auto features = WeightsFile::Open(file);
  ASSERT_TRUE(features->Find("features") && features->Find("labels"));
  EXPECT_EQ(features->Find("features")->shape, (std::vector<std::int64_t>{images, 1280}));
  EXPECT_EQ(features->Find("labels")->shape, std::vector<std::int64_t>{images});
  const auto classes = nlohmann::json::parse(features->metadata().at("classes"));
  std::vector<float> labels(images);
  features->Read(*features->Find("labels"), labels);
  std::istringstream lines(FileText(file + ".jsonl"));
  std::size_t row = 0;
  for (std::string line; std::getline(lines, line); ++row) {
    ASSERT_LT(row, labels.size());
    EXPECT_EQ(nlohmann::json::parse(line)["class"], classes[static_cast<int>(labels[row])]);
  }
  EXPECT_EQ(row, labels.size());
}

TEST_F(FlowTest, WritesPicturesAsNumbersWithoutAModel) {
  const auto run = [&](const std::string& name, const std::string& mean,
                       const std::string& deviation) {
    const ProcessOutcome outcome =
        Weir({"run", "configs/tensors.yaml", "--set", "pipeline.directory.path=" + Pictures(),
              "--set", "pipeline.center_crop.size=[16, 24]", "--set",
              "pipeline.normalize.mean=" + mean, "--set", "pipeline.normalize.std=" + deviation,
              "--set", "pipeline.safetensors.path=" + path(name), "--out", path(name + "-run")});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const auto summary = nlohmann::json::parse(FileText(path(name + "-run/summary.json")));
    const std::int64_t images = summary["images"];
    const auto file = WeightsFile::Open(path(name));
    const TensorInfo* features = file->Find("features");
    EXPECT_EQ(features->shape, (std::vector<std::int64_t>{images, 16, 24, 3}));
    EXPECT_EQ(file->Find("labels")->shape, std::vector<std::int64_t>{images});
    std::vector<float> values(features->values());
    file->Read(*features, values);
    return values;
  };
  const std::vector<float> plain = run("plain", "[0, 0, 0]", "[1, 1, 1]");
  const std::vector<float> other = run("other", "[0.5, 0.25, 0]", "[0.5, 1, 2]");
  ASSERT_EQ(other.size(), plain.size());
  const float means[] = {0.5f, 0.25f, 0}, deviations[] = {0.5f, 1, 2};
  std::set<int> levels;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const float level = plain[i] * 255;
    ASSERT_NEAR(level, std::round(level), 1e-4);
    ASSERT_FLOAT_EQ(other[i], (plain[i] - means[i % 3]) / deviations[i % 3]);
    levels.insert(static_cast<int>(std::round(level)));
  }
  EXPECT_GE(*levels.begin(), 0);
  EXPECT_LE(*levels.rbegin(), 255);
  EXPECT_GT(levels.size(), 100u);
}

TEST_F(FlowTest, RandAugmentDrawsTheSameAtAnyThreadCount) {
  const std::string config = Write("sheet.yaml",
                                   "memory: {host: 64MiB}\npipeline:\n"
                                   "  - directory: {path: " +
                                       Pictures() +
                                       "}\n  - decode\n"
                                       "  - random_resized_crop: {size: [64, 64]}\n"
                                       "  - rand_augment: {num_ops: 3}\n"
                                       "  - contact_sheet: {path: sheet.png}\n");
  const auto sheet = [&](const std::string& name, const std::string& setting) {
    const ProcessOutcome outcome =
        Weir({"run", config, "--set", setting, "--set",
              "pipeline.contact_sheet.path=" + path(name + ".png"), "--out", path(name)});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return FileText(path(name + ".png"));
  };
  const std::string one = sheet("one", "threads=1");
  EXPECT_TRUE(sheet("four", "threads=4") == one);
  EXPECT_FALSE(sheet("none", "pipeline.rand_augment.num_ops=0") == one);
}

// Trains, with a second branch to a sheet.
const char* const kBranched = R"(
name: branched
seed: 3
memory: {host: 256MiB}
pipeline:
  - directory: {path: PICTURES, validation_split: 0.25}
  - decode
  - augment: {size: [64, 64], zoom: 0.2, horizontal_flip: true}
  - augment: {as: large, from: decode, size: [128, 128], rotation: 20}
  - contact_sheet: {path: sheet.png, columns: 4, rows: 2, cell: 128}
  - batch: {from: augment, size: 8}
  - prefetch
  - features
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none}
  head: [global_average_pooling, {dense: {units: classes, activation: softmax}}]
training: {epochs: 2}
)";

TEST_F(FlowTest, ABranchBesideTrainingGivesTheSameAtAnyThreadCount) {
  std::string text = kBranched;
  text.replace(text.find("PICTURES"), 8, Pictures());
  const std::string branched = Write("branched.yaml", text);
  const auto run = [&](const std::string& config, const std::string& out,
                       const std::string& threads) {
    const ProcessOutcome outcome =
        Weir({"run", config, "--out", path(out), "--set", "threads=" + threads});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return FileText(path(out) + "/model/model.safetensors");
  };
  const std::string model = run(branched, "one", "1");
  ASSERT_FALSE(model.empty());
  EXPECT_TRUE(run(branched, "four", "4") == model);
  EXPECT_EQ(SizeOfPng(path("sheet.png")), std::pair(4 * 132 + 4, 2 * 132 + 4));

  // Only the way to `train` predicts, so that no sheet is drawn.
  fs::remove(path("sheet.png"));
  const ProcessOutcome predicted = Weir({"predict", path("one"), Pictures()});
  EXPECT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_FALSE(fs::exists(path("sheet.png")));
  EXPECT_EQ(Weir({"evaluate", path("one"), Pictures()}).status, 0);
}

TEST_F(FlowTest, PlanDrawsTheFlow) {
  std::string text = kBranched;
  text.replace(text.find("PICTURES"), 8, Pictures());
  const std::string config = Write("branched.yaml", text);
  EXPECT_THAT(Weir({"plan", config}).out,
              AllOf(HasSubstr("  decode ─▶ large  ─▶ image/u8hwc\n"),
                    HasSubstr("  augment ─▶ batch  ─▶ batch/u8nhwc\n")));
  const std::string dot = Weir({"plan", config, "--dot"}).out;
  EXPECT_THAT(dot,
              AllOf(StartsWith("digraph weir {\n"), HasSubstr("1 -> 3 [label=\"image/u8hwc\"]"),
                    HasSubstr("[label=\"large\\nmap, parallel")));
  const std::string svg = Weir({"plan", config, "--svg"}).out;
  EXPECT_THAT(svg, AllOf(StartsWith("<svg "), HasSubstr(">contact_sheet</text>"),
                         HasSubstr("samples on their way: ")));
  EXPECT_EQ(Weir({"plan", config, "--svg", "--json"}).status, 2);
}

TEST_F(FlowTest, AnEdgeThatDoesNotFitIsDrawnAtItsPlace) {
  const std::string config =
      Write("wrong.yaml", "pipeline:\n  - directory: {path: " + Pictures() +
                              "}\n  - decode\n  - contact_sheet: {path: a.png}\n"
                              "  - batch: {as: late, from: contact_sheet}\n");
  EXPECT_THAT(
      Weir({"plan", config}).err,
      HasSubstr("wrong.yaml:5:5: `contact_sheet` is an end of the flow and gives nothing to "
                "`late`\n"));
  const std::string other = Write("other.yaml", "pipeline:\n  - directory: {path: " + Pictures() +
                                                    "}\n  - contact_sheet: {path: a.png}\n");
  EXPECT_THAT(Weir({"plan", other}).err,
              HasSubstr("other.yaml:3:5: `directory` ─▶ image/file ╳ image/u8hwc ─▶ "
                        "`contact_sheet`: what"));
}

TEST_F(FlowTest, TwoStagesDoNotWriteOneFile) {
  const std::string config =
      Write("twice.yaml", "pipeline:\n  - directory: {path: " + Pictures() +
                              "}\n  - decode\n  - contact_sheet: {path: a.png}\n"
                              "  - contact_sheet: {as: more, from: decode, path: ./a.png}\n");
  const ProcessOutcome outcome = Weir({"plan", config});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("both write '" + path("a.png") + "'"),
                                 HasSubstr("Give each a path of its own.")));
}

// With every path written out it is longer than what can be read again.
TEST_F(FlowTest, AConfigurationThatIsTooLongLeavesNoFolder) {
  std::string shards;
  for (int i = 0; i < 10'000; ++i) shards += "        - " + std::to_string(100'000 + i) + ".tar\n";
  const std::string deep(100, 'd');
  fs::create_directories(path(deep));
  const std::string config =
      Write(deep + "/long.yaml", "pipeline:\n  - webdataset:\n      shards:\n" + shards +
                                     "  - decode\n  - contact_sheet: {path: a.png}\n");
  const ProcessOutcome outcome = Weir({"run", config, "--out", path("run")});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, StartsWith("weir: the configuration has 10"));
  EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(FlowTest, SaysWhatIsKeptForValidation) {
  const std::string config =
      Write("kept.yaml", "pipeline:\n  - directory: {path: " + Pictures() +
                             ", validation_split: 0.25}\n  - decode\n  - contact_sheet: {path: "
                             "a.png}\n");
  EXPECT_THAT(Weir({"run", config, "--out", path("run")}).out,
              HasSubstr("12 samples are for validation, and not among those of this job\n"));
}

TEST_F(FlowTest, AnOldNameOfAKeyWorksAndIsNamed) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo<kPerClass>("plan", {"--set", "training.checkpoint_seconds=5"}));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("`checkpoint_seconds` is called `checkpoint_interval` now"));
}

}  // namespace
}  // namespace weir
