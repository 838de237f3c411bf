// Where pictures may come from: a folder, a table, shards. The same pictures give the same model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scoped_variable.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SourcesTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  // The drawn pictures in the order in which a folder is listed, and their classes.
  static std::vector<std::pair<fs::path, std::string>> Listed() {
    std::vector<std::pair<fs::path, std::string>> files;
    for (const fs::path& file : DrawnFiles<8>()) {
      files.emplace_back(file, file.parent_path().filename());
    }
    return files;
  }

  std::string WriteTable() const {
    std::ofstream table(path("t.csv"));
    table << "file,kind\n";
    for (const auto& [file, label] : Listed())
      table << '"' << file.string() << "\"," << label << '\n';
    return path("t.csv");
  }

  // Tar files made by tar, of the same files.
  std::string WriteShards(bool compressed) const {
    const std::string folder = path("members");
    fs::create_directories(folder);
    std::vector<std::string> names;
    int number = 0;
    for (const auto& [file, label] : Listed()) {
      char key[16];
      std::snprintf(key, sizeof key, "%06d", number++);
      for (const std::string& ending : {file.extension().string(), std::string(".txt")}) {
        names.push_back(key + ending);
      }
      fs::copy_file(file, folder + "/" + key + file.extension().string(),
                    fs::copy_options::overwrite_existing);
      std::ofstream(folder + "/" + key + ".txt") << label;
    }
    const auto pack = [&](const std::string& name, std::size_t begin, std::size_t end) {
      std::string command =
          std::string("tar ") + (compressed ? "-czf " : "-cf ") + path(name) + " -C " + folder;
      for (std::size_t i = begin; i < end; ++i) command += " " + names[i];
      ASSERT_EQ(std::system(command.c_str()), 0);
    };
    const std::string ending = compressed ? ".tar.gz" : ".tar";
    const std::size_t middle = names.size() / 4 * 2;
    pack("s-00" + ending, 0, middle);
    pack("s-01" + ending, middle, names.size());
    return path("s-{00..01}" + ending);
  }

  void WriteTraining(const std::string& source, const std::string& cache,
                     const std::vector<std::string>& batch_stages) const {
    scratch_.Write(
        "c.yaml",
        TrainingYaml({.settings = "seed: 3\nmemory: {host: 256MiB}",
                      .source = source,
                      .picture_stages = {"augment: {size: [64, 64], zoom: 0.2, variants: 2}"},
                      .batch_stages = batch_stages,
                      .features = "features: {cache: " + cache + "}",
                      .training = "{epochs: 2}"}));
  }

  // Trains with such a source, and returns what was said.
  std::string Train(const std::string& source, const std::string& out,
                    const std::string& cache = "memory",
                    const std::vector<std::string>& batch_stages = {"prefetch"},
                    const std::string& threads = "2") const {
    WriteTraining(source, cache, batch_stages);
    const ProcessOutcome outcome =
        Weir({"run", path("c.yaml"), "--out", path(out), "--set", "threads=" + threads});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  }
  std::string Model(const std::string& out) const {
    return FileText(path(out) + "/model/model.safetensors");
  }

  ScratchFolder scratch_;
  const ScopedVariable cache_{"WEIR_CACHE", (scratch_ / "cache").c_str()};
};

TEST_F(SourcesTest, TheSamePicturesGiveTheSameModel) {
  Train("directory: {path: " + DrawnPictures<8>().string() + ", validation_split: 0.25}", "folder");
  ASSERT_FALSE(Model("folder").empty());

  Train("manifest: {path: " + WriteTable() +
            ", path_column: file, label_column: kind, validation_split: 0.25}",
        "table");
  EXPECT_TRUE(Model("table") == Model("folder"));

  for (const bool compressed : {false, true}) {
    const std::string out = compressed ? "packed" : "shards";
    Train("webdataset: {shards: [\"" + WriteShards(compressed) +
              "\"], label: txt, validation_split: 0.25}",
          out);
    EXPECT_TRUE(Model(out) == Model("folder")) << out;
  }

  const auto evaluation = [&](const std::string& run, const std::string& data,
                              const std::vector<std::string>& more = {}) {
    const ProcessOutcome outcome = Weir(Joined({"evaluate", path(run), data, "--json"}, more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  const std::string expected = evaluation("folder", DrawnPictures<8>().string());
  // Read as the run reads its own, or as is said.
  EXPECT_EQ(evaluation("table", path("t.csv")), expected);
  EXPECT_EQ(evaluation("packed", path("s-{00..01}.tar.gz")), expected);
  EXPECT_EQ(evaluation("folder", path("t.csv"),
                       {"--source", "path_column=file", "--source", "label_column=kind"}),
            expected);
  fs::create_directory(path("only shards"));
  for (const char* name : {"s-00.tar", "s-01.tar"}) {
    fs::copy_file(path(name), path("only shards") + "/" + name);
  }
  EXPECT_EQ(evaluation("shards", path("only shards")), expected);
  EXPECT_THAT(Weir({"evaluate", path("folder"), path("t.csv")}).err,
              HasSubstr("`path_column`, `label_column` and `split_column` say"));
  EXPECT_THAT(Weir({"evaluate", path("folder"), path("t.csv"), "--source", "path=x"}).err,
              HasSubstr("--source path=x: `path` is DATA's, or the model's, already"));
  EXPECT_THAT(Weir({"evaluate", path("folder"), path("t.csv"), "--source", "colum=x"}).err,
              HasSubstr("weir: --source colum=x: unknown key `colum`"));
}

TEST_F(SourcesTest, FeaturesOfWhatLiesInShardsAreKeptToo) {
  const std::string source =
      "webdataset: {shards: [\"" + WriteShards(false) + "\"], label: txt, validation_split: 0.25}";
  const std::string first = Train(source, "first", "file");
  EXPECT_THAT(first, HasSubstr("features: 0 found in "));
  const std::string second = Train(source, "second", "file");
  EXPECT_THAT(second, AllOf(HasSubstr(" found in "), HasSubstr(", 0 added")));
  EXPECT_TRUE(Model("second") == Model("first"));
}

TEST_F(SourcesTest, ShardsThatWereWrittenAreReadAgain) {
  std::ofstream(path("write.yaml"))
      << "memory: {host: 64MiB}\npipeline:\n  - directory: {path: " + DrawnPictures<8>().string() +
             ", shuffle: false}\n  - decode\n  - augment: {size: [64, 64]}\n  - encode: {format: "
             "png}\n  - webdataset_writer: {folder: shards}\n";
  ASSERT_EQ(Weir({"run", path("write.yaml"), "--out", path("write")}).status, 0);
  std::ofstream(path("read.yaml"))
      << "memory: {host: 64MiB}\npipeline:\n  - webdataset: {shards: [shards], shuffle: false}\n"
         "  - decode\n  - augment: {size: [64, 64]}\n  - contact_sheet: {path: read.png, cell: "
         "64}\n";
  ASSERT_EQ(Weir({"run", path("read.yaml"), "--out", path("read")}).status, 0);
  std::ofstream(path("direct.yaml"))
      << "memory: {host: 64MiB}\npipeline:\n  - directory: {path: " + DrawnPictures<8>().string() +
             ", shuffle: false}\n  - decode\n  - augment: {size: [64, 64]}\n"
             "  - contact_sheet: {path: direct.png, cell: 64}\n";
  ASSERT_EQ(Weir({"run", path("direct.yaml"), "--out", path("direct")}).status, 0);
  EXPECT_FALSE(FileText(path("read.png")).empty());
  EXPECT_TRUE(FileText(path("read.png")) == FileText(path("direct.png")));
  const ProcessOutcome checked = Weir({"plan", path("read.yaml")});
  EXPECT_THAT(checked.out, HasSubstr("webdataset"));
}

TEST_F(SourcesTest, AListIsDrawnAndHasNothingToTrainWith) {
  std::ofstream(path("list.txt")) << Listed()[0].first.string() << "\nabsent.jpg\n";
  const std::string list = "pipeline:\n  - list: {file: list.txt}\n  - decode\n";
  std::ofstream(path("sheet.yaml")) << list + "  - contact_sheet: {path: sheet.png}\n";
  const ProcessOutcome outcome = Weir({"run", path("sheet.yaml"), "--out", path("run")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("1 could not be used"));
  EXPECT_THAT(FileText(path("run/dropped.jsonl")),
              AllOf(HasSubstr("absent.jpg"), HasSubstr("No such file")));

  std::ofstream(path("features.yaml"))
      << list +
             "  - augment: {size: [64, 64]}\n  - batch: {size: 8}\n  - features\n"
             "  - safetensors: {path: f.safetensors}\n"
             "model:\n  backbone: {name: mobilenet_v2, width: 0.35, weights: none}\n"
             "  frozen: all\n  head: [global_average_pooling]\n";
  const ProcessOutcome features = Weir({"run", path("features.yaml"), "--out", path("f")});
  EXPECT_EQ(features.status, 0) << features.err;
  EXPECT_THAT(FileText(path("f.safetensors")), HasSubstr("[1,1280]"));

  WriteTraining("list: {file: list.txt}", "off", {"prefetch"});
  const ProcessOutcome refused = Weir({"run", path("c.yaml"), "--out", path("c")});
  EXPECT_EQ(refused.status, 2) << refused.err;
  EXPECT_THAT(refused.err,
              HasSubstr("model: the data has no labels, and a classifier learns them"));
}

TEST_F(SourcesTest, MixedBatchesGiveTheSameModelAtAnyThreadCount) {
  const std::string source =
      "directory: {path: " + DrawnPictures<8>().string() + ", validation_split: 0.25}";
  const std::vector<std::string> mixing = {"mixup: {alpha: 0.4}", "cutmix: {probability: 0.5}"};
  Train(source, "plain", "off");
  EXPECT_THAT(Train(source, "kept", "memory", mixing),
              HasSubstr("; of training not: `mixup` and `cutmix` draw anew in each epoch"));
  Train(source, "one", "off", mixing, "1");
  Train(source, "four", "off", mixing, "4");
  EXPECT_FALSE(Model("one").empty());
  EXPECT_TRUE(Model("one") == Model("four"));
  EXPECT_TRUE(Model("one") == Model("kept"));
  EXPECT_FALSE(Model("one") == Model("plain"));

  // A mixture has no label of its own to be written.
  std::ofstream(path("f.yaml")) << "pipeline:\n  - " + source +
                                       "\n  - decode\n  - augment: {size: [32, 32]}\n  - batch\n" +
                                       "  - " + mixing[0] + "\n  - " + mixing[1] +
                                       "\n  - normalize\n  - safetensors: {path: f.safetensors}\n";
  const ProcessOutcome refused = Weir({"run", path("f.yaml"), "--out", path("f")});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("is a mixture of samples, and one label is written\n  Take "
                                     "`mixup` and `cutmix` out of the way to it."));
}

}  // namespace
}  // namespace weir
