// What reading back costs at most that a run has left: its checkpoint, its lines, its memory log
// and its model, each with the largest of what such a file may say. Anybody may have changed them.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "framework/error.h"
#include "pipelines/record/json_lines.h"
#include "pipelines/record/memory_log.h"
#include "pipelines/record/run_folder.h"
#include "pipelines/record/tally.h"
#include "stages/model/export/saved_model.h"
#include "stages/model/weights/safetensors_limits.h"
#include "stages/train/checkpoint.h"
#include "tests/support/counted_heap.h"
#include "tests/support/largest_files.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kLongestLine = std::size_t{256} << 10;  // json_lines.h

// A run's folder as somebody left it.
struct Leaving {
  const char* name;
  std::string file;   // its name in the folder
  std::string bytes;  // what it holds
  std::function<void(const fs::path& folder)> read;
  std::size_t most_bytes;  // what the reader may take
};

void PrintTo(const Leaving& leaving, std::ostream* out) { *out << leaving.name; }

std::string Times(std::size_t count, const std::string& text) {
  std::string all;
  all.reserve(count * text.size());
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::vector<Leaving> CheckpointLeavings() {
  const std::string file = "latest.safetensors";
  const auto restore = [=](const fs::path& folder) {
    Tally::FromText(RestoreCheckpoint(folder / file, {}, {}).extra);
  };
  const std::string position = R"("weir.position":"{\"epoch\":0,\"next_sample\":0,\"step\":0,)"
                               R"(\"loss_sum\":0,\"images\":0,\"correct\":0}",)";
  const auto checkpoint = [&](const std::string& declaration, const std::string& extra) {
    return Safetensors(R"({"__metadata__":{"weir.checkpoint":"1",)" + position +
                       "\"weir.declaration\":\"" + declaration + "\",\"weir.extra\":\"" + extra +
                       "\"}}");
  };
  const std::size_t rest = kMostOwnHeaderBytes - 400;
  const std::size_t declared = kMiB - 16;
  return {
      {"checkpoint_extra", file, checkpoint("[]", std::string(rest, 'x')), restore, 13 * kMiB},
      {"checkpoint_tally", file,
       checkpoint("[]", R"({\"seconds\":0,\"epoch_seconds\":0,\"images\":0,)"
                        R"(\"best_validation_accuracy\":0,\"config\":\")" +
                            std::string(2 * kMiB, 'x') + R"(\"})"),
       restore, 13 * kMiB},
      {"checkpoint_tally_of_lists", file,
       checkpoint("[]", "{\\\"config\\\":[" + Repeated("[]", rest - 100) + "]}"), restore,
       68 * kMiB},
      {"checkpoint_declaration", file,
       checkpoint("[" + Repeated(R"([\"#\",\"\"])", declared - 2) + "]", ""), restore, 16 * kMiB},
      {"checkpoint_declaration_text", file,
       checkpoint(R"([[\"a\",\")" + std::string(declared - 100, 'x') + R"(\"]])", ""), restore,
       16 * kMiB},
      {"checkpoint_declaration_depth", file, checkpoint(std::string(declared, '['), ""), restore,
       8 * kMiB},
      {"checkpoint_keys", file,
       Safetensors(R"({"__metadata__":{)" + Repeated(R"("#":"")", rest, kMostSafetensorsMetadata) +
                   "}}"),
       restore, 2 * kMiB},
      {"checkpoint_tensors", file,
       Safetensors(R"({"__metadata__":{"weir.checkpoint":"1",)" + position +
                   R"("weir.declaration":"[]","weir.extra":""},)" +
                   Repeated(R"("#":{"dtype":"F32","shape":[0,1,2,3,4,5,6,7],"data_offsets":[0,0]})",
                            rest, kMostOwnTensors) +
                   "}"),
       restore, 8 * kMiB},
  };
}

std::vector<Leaving> LineLeavings() {
  const auto metrics = [](const fs::path& folder) {
    std::ofstream(folder / "config.yaml") << "{}";
    RunFolder::Reopen(folder).ForgetMetricsFrom(2);  // its lines are changed
  };
  const std::string begin = R"({"epoch":0,"split":"train","x":)";
  const std::size_t rest = kLongestLine - begin.size() - 4;
  const std::size_t held = 5 * kMiB;  // a line, and what it is parsed to
  std::vector<Leaving> all = {
      {"metrics_longest_line", "metrics.jsonl", begin + "\"" + std::string(rest, 'x') + "\"}\n",
       metrics, held},
      {"metrics_longer_line", "metrics.jsonl", std::string(32 * kMiB, 'x'), metrics, held},
      {"metrics_values", "metrics.jsonl", begin + "[" + Repeated("[]", rest) + "]}\n", metrics,
       held},
      {"metrics_depth", "metrics.jsonl", begin + std::string(rest, '[') + "\n", metrics, held},
      {"metrics_nested", "metrics.jsonl",
       begin + std::string(rest / 2, '[') + std::string(rest / 2, ']') + "}\n", metrics, held},
      {"metrics_many_lines", "metrics.jsonl", Times(400'000, "{\"epoch\":0}\n"), metrics, held},
  };
  std::string lost;
  for (int i = 0; i < 600'000; ++i) lost += "{\"path\":\"" + std::to_string(i) + "\"}\n";
  all.push_back({"dropped_many_lines", "dropped.jsonl", lost, metrics, held});
  all.push_back({"dropped_longest_path", "dropped.jsonl",
                 Times(16, "{\"path\":\"" + std::string(rest, 'x') + "\"}\n"), metrics, held});
  return all;
}

std::vector<Leaving> LogLeavings() {
  const auto read = [](const fs::path& folder) { MemoryLog::Read(folder / "memory.json"); };
  const std::string begin =
      R"({"state":"running","time":0,"process":1,"doing":"","images_done":0,"images":0,)"
      R"("limit_bytes":0,"held_bytes":0,"peak_held_bytes":0,"available_bytes":0,"squeezed":"",)"
      R"("holdings":[)";
  const std::string each = R"({"stage":"#","what":"","planned_bytes":0,"bytes":0,"peak_bytes":0})";
  const std::size_t rest = kMiB - begin.size() - 4;
  const std::size_t most = 20 * kMiB;  // the text, its tree, and what is taken from that
  return {
      {"log_holdings", "memory.json", begin + Repeated(each, rest) + "]}", read, most},
      {"log_lists", "memory.json", begin + Repeated("[]", rest) + "]}", read, most},
      {"log_depth", "memory.json", begin + std::string(rest, '['), read, most},
      {"log_text", "memory.json", begin + "\"" + std::string(rest, 'x') + "\"]}", read, most},
      {"log_longer", "memory.json", std::string(64 * kMiB, ' '), read, most},
  };
}

// A model of two classes, beside which `int8.safetensors` may be anything.
void WriteModel(const fs::path& folder) {
  std::ofstream(folder / "model.json")
      << R"({"version": 1, "classes": ["a", "b"], "input": [32, 32], "convention": {"padding":)"
         R"( "same", "batch_norm_epsilon": 0.001}, "preprocessing": {"scale": 1, "offset": 0},)"
         R"( "backbone": {"name": "mobilenet_v2", "width": 0.35}, "head":)"
         R"( ["global_average_pooling", {"dense": {"units": 2, "activation": "softmax"}}]})";
  const std::size_t weight = 2 * 1280 * 4;
  std::ofstream(folder / "model.safetensors", std::ios::binary)
      << Safetensors(R"({"head.1.weight":{"dtype":"F32","shape":[2,1280],"data_offsets":[0,)" +
                     std::to_string(weight) +
                     R"(]},"head.1.bias":{"dtype":"F32","shape":[2],"data_offsets":[)" +
                     std::to_string(weight) + "," + std::to_string(weight + 8) + "]}}")
      << std::string(weight + 8, '\0');
}

std::vector<Leaving> MapLeavings() {
  const std::string file = "int8.safetensors";
  const auto load = [](const fs::path& folder) {
    WriteModel(folder);
    LoadSavedModel(folder);
  };
  const std::size_t most = kMostOwnHeaderBytes;
  return {
      {"int8_tensors", file,
       Safetensors("{" +
                   Repeated(R"("#":{"dtype":"F32","shape":[0,1,2,3,4,5,6,7],"data_offsets":[0,0]})",
                            most - 2, kMostOwnTensors) +
                   "}"),
       load, 8 * kMiB},
      {"int8_metadata", file,
       Safetensors(R"({"__metadata__":{"a":")" + std::string(most - 32, 'x') + "\"}}"), load,
       4 * most},
      {"int8_scale_of_many_values", file,
       Safetensors(R"({"features.0.0.scale":{"dtype":"F32","shape":[8388608],"data_offsets":)"
                   "[0,33554432]}}") +
           std::string(32 * kMiB, '\0'),
       load, 4 * kMiB},
  };
}

class RunRecordCosts : public testing::TestWithParam<Leaving> {};

TEST_P(RunRecordCosts, AreWithinTheirBound) {
  const Leaving& leaving = GetParam();
  const ScratchFolder folder;
  folder.Write(leaving.file, leaving.bytes);
  std::string outcome = "read";
  const std::size_t grown = HeapGrowth([&] {
    try {
      leaving.read(folder.path());
    } catch (const Error& error) {
      outcome = error.what();
    }
  });
  EXPECT_LE(grown, leaving.most_bytes) << outcome;
  RecordProperty("grown_bytes", std::to_string(grown));
  std::printf("%-32s %9zu bytes of file, %9zu held: %.120s\n", leaving.name, leaving.bytes.size(),
              grown, outcome.c_str());
}

std::string NameOf(const testing::TestParamInfo<Leaving>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Checkpoint, RunRecordCosts, testing::ValuesIn(CheckpointLeavings()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Lines, RunRecordCosts, testing::ValuesIn(LineLeavings()), NameOf);
INSTANTIATE_TEST_SUITE_P(Log, RunRecordCosts, testing::ValuesIn(LogLeavings()), NameOf);
INSTANTIATE_TEST_SUITE_P(Maps, RunRecordCosts, testing::ValuesIn(MapLeavings()), NameOf);

}  // namespace
}  // namespace weir
