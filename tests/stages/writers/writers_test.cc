// What weir's own stages write can be read again: at the limits, and not beyond them.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stages/sources/shards/webdataset.h"
#include "stages/writers/safetensors_sink.h"
#include "stages/writers/webdataset_writer.h"
#include "tests/stages/sources/listed_pass.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/sanitizer.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr Pass kTrain{.split = Split::kTrain};

std::vector<std::string> Names(std::size_t count, std::size_t length, char filling) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(std::to_string(i));
    names.back().resize(length, filling);
  }
  return names;
}

class Writers : public testing::Test {
 protected:
  BuildContext Context(std::vector<std::string> classes) {
    resources_ = Resources();
    resources_.Put(std::make_shared<Classes>(Classes{std::move(classes)}));
    return {.upstream = {.dims = {0, 2}}, .resources = resources_};
  }
  std::string RefusalBySink(std::vector<std::string> classes) {
    BuildContext context = Context(std::move(classes));
    return CaughtError([&] { SafetensorsSink({.path = folder_ / "f.safetensors"}, context); });
  }
  std::string RefusalByWriter(std::vector<std::string> classes) {
    BuildContext context = Context(std::move(classes));
    return CaughtError([&] { WebdatasetWriter({.folder = folder_ / "s"}, context); });
  }

  ScratchFolder folder_;
  Resources resources_;
};

TEST_F(Writers, FeaturesKeepTheNamesOfAsManyClassesAsThereMayBe) {
  // A sanitizer takes a minute for all of them.
  const std::vector<std::string> classes = Names(kHasSanitizer ? 4'096 : 65'536, 200, 'x');
  BuildContext context = Context(classes);
  SafetensorsSink sink({.path = folder_ / "f.safetensors"}, context);
  FeatureBatch batch;
  batch.dims = {2};
  batch.samples = {{0, static_cast<int>(classes.size()) - 1, std::string(4095, '"')}};
  batch.values = AlignedBuffer<float>(2);
  std::memset(batch.values.data(), 0, batch.values.bytes());
  sink.BeginPass(kTrain);
  StageContext stage_context(kTrain, 0, [] { return false; });
  sink.Consume(batch, stage_context);
  sink.EndPass(kTrain);
  // By the format alone: it is longer than the headers that weir takes weights from.
  const std::string file = FileText(folder_ / "f.safetensors");
  std::uint64_t length = 0;
  file.copy(reinterpret_cast<char*>(&length), sizeof length);
  const auto header = nlohmann::json::parse(file.substr(sizeof length, length));
  const std::string names = header.at("__metadata__").at("classes");
  EXPECT_EQ(nlohmann::json::parse(names), nlohmann::json(classes));
}

TEST_F(Writers, FeaturesOfClassesThatTheFileCannotKeepAreRefusedBeforeTheyAreMade) {
  EXPECT_EQ(RefusalBySink(Names(65'536, 120, '"')),
            (folder_ / "f.safetensors").string() +
                ": would have a header of 30835664 bytes, which could not be read again\n"
                "The most is 16777216: write less into one file.");
  EXPECT_EQ(RefusalBySink({"a\xff", "a\xfe"}),
            "safetensors: the names of the classes 1 and 2 are not UTF-8, and 'a\xef\xbf\xbd' is "
            "what is left of both\nRename them: folders and tables give names in UTF-8.");
}

TEST_F(Writers, ShardsComeBackWithTheLongestNames) {
  const std::vector<std::string> classes = {std::string(4096, '"'), "\\ants/", "bêtes"};
  BuildContext context = Context(classes);
  {
    WebdatasetWriter writer({.folder = folder_ / "s"}, context);
    MemoryBudget budget(1 << 20);
    OpenContext open{.budget = budget};
    writer.Open(open);
    writer.BeginPass(kTrain);
    StageContext stage_context(kTrain, 0, [] { return false; });
    for (int i = 0; i < 3; ++i) {
      const Sample sample{static_cast<std::uint64_t>(i), i, std::string(4095, '\x02')};
      writer.Consume({.sample = sample, .ending = "jpg", .content = {1, 2, 3}}, stage_context);
    }
    writer.EndPass(kTrain);
  }
  Resources resources;
  BuildContext reading{.upstream = {}, .resources = resources};
  Webdataset source({.shards = {folder_ / "s"}, .shuffle = false}, reading);
  EXPECT_EQ(RunPass(source, kTrain).labels, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(resources.Find<Classes>()->names, classes);
}

TEST_F(Writers, ShardsOfClassesThatWouldBecomeOneAreRefused) {
  EXPECT_EQ(
      RefusalByWriter({"ants", "b\xe9", "b\xe8"}),
      "webdataset_writer: the names of the classes 2 and 3 are not UTF-8, and 'b\xef\xbf\xbd' "
      "is what is left of both\nRename them: folders and tables give names in UTF-8.");
}

}  // namespace
}  // namespace weir
