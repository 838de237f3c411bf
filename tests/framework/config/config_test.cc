#include "framework/config/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "framework/config/yaml_emitter.h"
#include "framework/error.h"

namespace weir {
namespace {

constexpr char kArticle[] =
    "threads: 4\n"
    "memory: {host: 256MiB, device: 0.5}\n"
    "plugins: [extra/libextra.so]\n"
    "pipeline:\n"
    "  - directory: {path: data, validation_split: 0.2}\n"
    "  - decode: {}\n"
    "  - show: {from: directory, every: 10}\n"
    "  - train\n"
    "model:\n"
    "  frozen: all\n";

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) / ("weir_config_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Config Load(const std::string& text, const std::vector<std::string>& overrides = {}) {
    std::ofstream(folder_ / "article.yaml", std::ios::binary) << text;
    const std::vector<std::string> sections = {"model", "training"};
    return LoadConfig(folder_ / "article.yaml", overrides, sections);
  }

  std::string ErrorOf(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
      Load(text, overrides);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_status(), 2);
      std::string what = error.what();
      for (std::size_t at; (at = what.find(folder_.string())) != std::string::npos;) {
        what.replace(at, folder_.string().size(), "DIR");
      }
      return what;
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigTest, ReadsAFile) {
  const Config config = Load(kArticle);
  EXPECT_EQ(config.name, "article");
  EXPECT_EQ(config.seed, 1u);
  EXPECT_EQ(config.threads.value(), 4);
  EXPECT_EQ(config.memory.host.value(), (ByteSize{256 << 20}));
  EXPECT_EQ(std::get<double>(config.memory.device.value().amount), 0.5);
  EXPECT_EQ(config.plugins.at(0), folder_ / "extra/libextra.so");
  ASSERT_EQ(config.pipeline.size(), 4u);
  EXPECT_EQ(config.pipeline[0].stage, "directory");
  EXPECT_EQ(config.pipeline[0].params.path(), "pipeline.directory");
  EXPECT_EQ(config.pipeline[0].params.Find("path")->scalar(), "data");
  EXPECT_EQ(config.pipeline[2].from, std::vector<std::string>{"directory"});
  EXPECT_EQ(EmitFlow(config.pipeline[2].params), "{every: 10}");
  EXPECT_EQ(config.pipeline[3].stage, "train");
  EXPECT_TRUE(config.pipeline[3].params.is_null());
  EXPECT_EQ(config.pipeline[3].params.path(), "pipeline.train");
  EXPECT_EQ(config.Section("model").Find("frozen")->scalar(), "all");
  EXPECT_TRUE(config.Section("training").is_null());
  EXPECT_EQ(config.Section("training").name(), "training");
}

TEST_F(ConfigTest, OverridesAreAppliedInOrder) {
  const Config config =
      Load(kArticle, {"name=other", "threads=2", "threads=auto", "memory.device=6GiB",
                      "pipeline.train.x=1", "training.epochs=3"});
  EXPECT_EQ(config.name, "other");
  EXPECT_TRUE(config.threads.is_auto());
  EXPECT_EQ(std::get<ByteSize>(config.memory.device.value().amount), (ByteSize{6ull << 30}));
  EXPECT_EQ(EmitFlow(config.pipeline[3].params), "{x: 1}");
  EXPECT_EQ(EmitFlow(config.Section("training")), "{epochs: 3}");
}

TEST_F(ConfigTest, IsWrittenAsResolved) {
  const std::string written = EmitYaml(ToYaml(Load(kArticle, {"training.epochs=3"})));
  EXPECT_EQ(written,
            "name: article\nseed: 1\nthreads: 4\nmemory:\n  host: 256MiB\n  device: 0.5\n"
            "device: auto\n"
            "plugins: [" +
                (folder_ / "extra/libextra.so").string() +
                "]\n"
                "pipeline:\n"
                "  - directory:\n      path: data\n      validation_split: 0.2\n"
                "  - decode: {}\n"
                "  - show:\n      every: 10\n      from: directory\n"
                "  - train: {}\n"
                "model:\n  frozen: all\n"
                "training:\n  epochs: 3\n");
  EXPECT_EQ(EmitYaml(ToYaml(Load(written))), written);
}

TEST_F(ConfigTest, KnowsItsKeys) {
  EXPECT_EQ(ErrorOf("pipeline: [a]\nmodle: {}\n"),
            "DIR/article.yaml:2:1: unknown key `modle`; did you mean `model`?\n"
            "    2 | modle: {}\n"
            "      | ^");
  EXPECT_EQ(ErrorOf("seed: 1\n"),
            "DIR/article.yaml:1:1: missing required key `pipeline`\n"
            "    1 | seed: 1\n"
            "      | ^");
  EXPECT_EQ(ErrorOf("- a\n- b\n"),
            "DIR/article.yaml:1:1: the configuration takes a map of keys, not a list\n"
            "    1 | - a\n"
            "      | ^");
  EXPECT_EQ(ErrorOf("pipeline: []\n"),
            "DIR/article.yaml:1:11: `pipeline` has no stages\n"
            "    1 | pipeline: []\n"
            "      |           ^");
  EXPECT_EQ(ErrorOf("name: a/b\npipeline: [a]\n"),
            "DIR/article.yaml:1:7: `name` takes a word that can be part of a folder's name, not "
            "`a/b`\n"
            "    1 | name: a/b\n"
            "      |       ^");
}

TEST_F(ConfigTest, StagesAreNamesOrMapsOfOneKey) {
  EXPECT_EQ(ErrorOf("pipeline:\n  - augment:\n    size: 3\n"),
            "DIR/article.yaml:3:5: `size` stands beside the stage `augment`: indent it further, if "
            "it is a parameter, or begin it with `- `\n"
            "    3 |     size: 3\n"
            "      |     ^");
  EXPECT_EQ(ErrorOf("pipeline: [[a]]\n"),
            "DIR/article.yaml:1:12: `pipeline[0]` takes a stage: `name`, or `name: {its "
            "parameters}`, not a list\n"
            "    1 | pipeline: [[a]]\n"
            "      |            ^");
  EXPECT_EQ(ErrorOf("pipeline: [{decode: 3}]\n"),
            "DIR/article.yaml:1:21: `decode` takes a map of keys, not `3`\n"
            "    1 | pipeline: [{decode: 3}]\n"
            "      |                     ^");
  EXPECT_EQ(ErrorOf("pipeline: {decode: {}}\n"),
            "DIR/article.yaml:1:11: `pipeline` takes a list of stages, not a map\n"
            "    1 | pipeline: {decode: {}}\n"
            "      |           ^");
}

TEST_F(ConfigTest, AStageMayBeThereTwiceUnderTwoNames) {
  EXPECT_EQ(
      ErrorOf("pipeline: [decode, {show: {from: decode}}, {show: {as: again, from: [decode]}}]\n"),
      "");
  EXPECT_EQ(ErrorOf("pipeline: [decode, {show: {}}, {show: {}}]\n"),
            "DIR/article.yaml:1:33: there is a stage `show` before it: give this one another name, "
            "`as: NAME`\n"
            "    1 | pipeline: [decode, {show: {}}, {show: {}}]\n"
            "      |                                 ^");
  EXPECT_EQ(ErrorOf("pipeline: [decode, {show: {as: a.b}}]\n"),
            "DIR/article.yaml:1:32: `as` takes a word, not `a.b`\n"
            "    1 | pipeline: [decode, {show: {as: a.b}}]\n"
            "      |                                ^");
}

TEST_F(ConfigTest, FromNamesAnEarlierStage) {
  EXPECT_EQ(ErrorOf("pipeline: [decode, {show: {from: decod}}]\n"),
            "DIR/article.yaml:1:34: `from` takes the name of an earlier stage, not `decod`; "
            "did you mean `decode`?\n"
            "    1 | pipeline: [decode, {show: {from: decod}}]\n"
            "      |                                  ^");
  EXPECT_EQ(ErrorOf("pipeline: [{show: {from: show}}]\n"),
            "DIR/article.yaml:1:26: `from` takes the name of an earlier stage, not `show`\n"
            "    1 | pipeline: [{show: {from: show}}]\n"
            "      |                          ^");
}

TEST_F(ConfigTest, MemoryIsASizeOrAPart) {
  const MemoryConfig quoted =
      Load("memory: {host: \"256MiB\", device: '6GiB'}\npipeline: [a]\n").memory;
  EXPECT_EQ(quoted.host.value().bytes, std::size_t{256} << 20);
  EXPECT_EQ(std::get<ByteSize>(quoted.device.value().amount).bytes, std::size_t{6} << 30);
  EXPECT_EQ(ErrorOf("memory: {host: lots}\npipeline: [a]\n"),
            "DIR/article.yaml:1:16: `host` takes auto or a size, and `lots` is not a size such as "
            "512MiB\n"
            "    1 | memory: {host: lots}\n"
            "      |                ^");
  EXPECT_EQ(ErrorOf("memory: {device: 1.5}\npipeline: [a]\n"),
            "DIR/article.yaml:1:18: `device` takes auto or a size such as 6GiB or a part such as "
            "0.5, not `1.5`\n"
            "    1 | memory: {device: 1.5}\n"
            "      |                  ^");
}

TEST_F(ConfigTest, ProblemsOfFileAndOptionsAreListedTogether) {
  EXPECT_EQ(ErrorOf("seed: x\nthreads: 0\npipeline: [a]\n", {"memory.hots=1MiB"}),
            "DIR/article.yaml:1:7: `seed` takes a whole number, not `x`\n"
            "    1 | seed: x\n"
            "      |       ^\n"
            "DIR/article.yaml:2:10: `threads` takes auto or 1 to 1024, not 0\n"
            "    2 | threads: 0\n"
            "      |          ^\n"
            "--set memory.hots=1MiB: unknown key `hots` in memory; did you mean `host`?\n"
            "  --set memory.hots=1MiB\n"
            "               ^");
}

}  // namespace
}  // namespace weir
