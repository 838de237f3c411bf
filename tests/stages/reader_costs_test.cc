// What reading strangers' files costs at most: every reader of a text or a table, each with the
// largest of what such a file may say, against the bound that its header states.
//
// A row is a file that is as hostile as its reader lets pass or refuses only at the end.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "framework/error.h"
#include "stages/features/feature_file.h"
#include "stages/files/class_names.h"
#include "stages/model/export/model_description.h"
#include "stages/model/weights/safetensors_limits.h"
#include "stages/model/weights/weights_file.h"
#include "stages/sources/line_reader.h"
#include "stages/sources/manifest_reader.h"
#include "stages/sources/shards/shard_paths.h"
#include "tests/support/counted_heap.h"
#include "tests/support/largest_files.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Reading {
  const char* name;
  std::string bytes;  // what the file holds
  std::function<void(const std::string& path)> read;
  std::size_t most_bytes;          // what the reader may take
  const char* file_name = "file";  // its ending tells some readers what it is
};

void PrintTo(const Reading& reading, std::ostream* out) { *out << reading.name; }

void OpenWeights(const std::string& path) { WeightsFile::Open(path); }

std::vector<Reading> SafetensorsReadings() {
  const std::string tensor = R"("#":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  const std::string wide = R"("#":{"dtype":"F32","shape":[0,1,2,3,4,5,6,7],"data_offsets":[0,0]})";
  const std::size_t most = kMostSafetensorsHeaderBytes;
  const auto header = [&](const std::string& begin, const std::string& each, const std::string& end,
                          std::size_t times = ~0ull) {
    return Safetensors(begin + Repeated(each, most - begin.size() - end.size(), times) + end);
  };
  return {
      {"safetensors_tensors", header("{", wide, "}", kMostSafetensorsTensors), OpenWeights,
       48 * kMiB},
      {"safetensors_too_many_tensors", header("{", tensor, "}"), OpenWeights, 48 * kMiB},
      {"safetensors_dimensions",
       header(R"({"a":{"dtype":"F32","data_offsets":[0,0],"shape":[)", "0", "]}}"), OpenWeights,
       kMiB},
      {"safetensors_offsets",
       header(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[)", "0", "]}}"), OpenWeights,
       kMiB},
      {"safetensors_types",
       header("{", R"("#":{"dtype":"#","shape":[0],"data_offsets":[0,0]})", "}"), OpenWeights,
       kMiB},
      {"safetensors_metadata_keys", header(R"({"__metadata__":{)", R"("#":"#")", "}}"), OpenWeights,
       2 * kMiB},
      {"safetensors_metadata_text",
       Safetensors(R"({"__metadata__":{"a":")" + std::string(most - 32, 'x') + "\"}}"), OpenWeights,
       4 * most},
      {"safetensors_name",
       Safetensors("{\"" + std::string(most - 60, 'x') +
                   R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})"),
       OpenWeights, 4 * most},
      {"safetensors_depth", Safetensors("{\"a\":" + std::string(most - 6, '[')), OpenWeights, kMiB},
      {"safetensors_objects", Safetensors(Repeated("{\"a\":", most, ~0ull, "")), OpenWeights, kMiB},
  };
}

std::string Description(const std::string& classes, const std::string& more = "") {
  return R"({"version": 1, "input": [32, 32], "convention": {"padding": "same",)"
         R"( "batch_norm_epsilon": 0.001}, "preprocessing": {"scale": 1, "offset": 0},)"
         R"( "backbone": {"name": "mobilenet_v2", "width": 1}, "head": [], "classes": [)" +
         classes + "]" + more + "}";
}

std::vector<Reading> DescriptionReadings() {
  const auto read = [](const std::string& path) { ReadModelDescription(path); };
  const std::size_t most = 17 * kMiB;
  const std::string name = "\"" + std::string(200, 'n') + "#\"";
  return {
      {"description_classes", Description(Repeated(name, most, kMostClasses)), read, 48 * kMiB},
      {"description_short_classes", Description(Repeated("\"#\"", most, kMostClasses)), read,
       8 * kMiB},
      {"description_too_many_classes", Description(Repeated("\"#\"", most)), read, 24 * kMiB},
      {"description_keys", Description("", "," + Repeated("\"#\":0", most - 400)), read, 24 * kMiB},
      {"description_values", Description("", ",\"x\":[" + Repeated("0", most - 400) + "]"), read,
       24 * kMiB},
      {"description_text", Description("", ",\"x\":\"" + std::string(most - 400, 'x') + "\""), read,
       most + kMiB},
      {"description_number", Description("", ",\"x\":" + std::string(most - 400, '1')), read,
       most + kMiB},
      {"description_depth", "{\"a\":" + std::string(most, '['), read, most + kMiB},
      {"description_classes_in_classes", Description("[" + std::string(most - 400, '[')), read,
       most + kMiB},
  };
}

std::vector<Reading> TableReadings() {
  return {
      {"hdf5_links_of_one_heap", Hdf5Links(3, 60'000, 200'000), OpenWeights, 32 * kMiB},
      {"hdf5_too_many_links", Hdf5Links(4, 60'000, 200'000), OpenWeights, 32 * kMiB},
      {"zip_entries", ZipOfEntries(131'072), OpenWeights, 32 * kMiB},
      {"zip_too_many_entries", ZipOfEntries(140'000), OpenWeights, 32 * kMiB},
      {"pickle_opcodes", ZipBytes({{"a/data.pkl", "\x80\2" + std::string(kMiB, '}') + "."}}),
       OpenWeights, 24 * kMiB},
  };
}

void ReadManifest(const std::string& path) {
  const auto reader = ManifestReader::Open(path, {"path"});
  while (reader->Next()) {
  }
}

std::vector<Reading> SourceReadings() {
  const std::size_t line = LineReader::kMostBytes - 100;
  const std::string row = "{\"path\": \"a.jpg\", \"x\": ";
  const std::string range = "{000..999}";
  const auto braces = [](const std::string& pattern) {
    return [pattern](const std::string&) {
      std::size_t shards = 0;
      ForEachShard("shards", pattern, [&](const std::string&) { ++shards; });
    };
  };
  const std::size_t row_bytes = 6 * kMiB;
  return {
      {"jsonl_depth", row + std::string(line, '['), ReadManifest, row_bytes, "t.jsonl"},
      {"jsonl_nested", row + std::string(900, '[') + std::string(900, ']') + "}", ReadManifest,
       kMiB, "t.jsonl"},
      {"jsonl_values", row + "[" + Repeated("0", line) + "]}", ReadManifest, row_bytes, "t.jsonl"},
      {"jsonl_keys", row + "0," + Repeated("\"#\":0", line) + "}", ReadManifest, row_bytes,
       "t.jsonl"},
      {"jsonl_text", row + "\"" + std::string(line, 'x') + "\"}", ReadManifest, row_bytes,
       "t.jsonl"},
      {"jsonl_key", "{\"" + std::string(line, 'x') + "\": 0}", ReadManifest, row_bytes, "t.jsonl"},
      {"csv_columns", "path" + std::string(65'535, ',') + "\n" + std::string(65'535, ','),
       ReadManifest, 8 * kMiB, "t.csv"},
      {"csv_too_many_columns", "path\n" + std::string(line, ','), ReadManifest, 8 * kMiB, "t.csv"},
      {"csv_quoted_lines", "path\n\"" + Repeated("#", line, ~0ull, "\n"), ReadManifest, 8 * kMiB,
       "t.csv"},
      {"shards_million", "", braces("/none/{000..999}{000..999}.tar"), kMiB},
      {"shards_too_many", "", braces(Repeated(range, kMiB, 4, "")), kMiB},
      {"shards_many_braces", "", braces(Repeated("{a,b}", 100'000, ~0ull, "")), 16 * kMiB},
      {"shards_long_names", "", braces(std::string(100'000, 'n') + range), kMiB},
  };
}

void OpenFeatures(const std::string& path) {
  const FeatureFile file(path, 4, "");
  file.ForEach([](const FeatureKey&, const FeatureRecord&) {});
}

std::vector<Reading> FeatureReadings() {
  std::string head = "weir features 1";
  head.resize(16);
  head += LittleEndian<std::uint64_t>(4);
  head.resize(4096);
  return {
      {"features_of_another_kind", std::string(8 * kMiB, 'x'), OpenFeatures, kMiB},
      {"features_records", head + std::string(8 * kMiB, 'x'), OpenFeatures, kMiB},
  };
}

class ReaderCosts : public testing::TestWithParam<Reading> {};

TEST_P(ReaderCosts, AreWithinTheirBound) {
  const Reading& reading = GetParam();
  const ScratchFolder folder;
  const std::string path = folder.Write(reading.file_name, reading.bytes).string();
  std::string outcome = "read";
  const std::size_t grown = HeapGrowth([&] {
    try {
      reading.read(path);
    } catch (const Error& error) {
      outcome = error.what();
    }
  });
  EXPECT_LE(grown, reading.most_bytes) << outcome;
  RecordProperty("grown_bytes", std::to_string(grown));
  std::printf("%-32s %9zu bytes of file, %9zu held: %.90s\n", reading.name, reading.bytes.size(),
              grown, outcome.c_str() + std::min(outcome.size(), path.size()) * (outcome != "read"));
}

std::string NameOf(const testing::TestParamInfo<Reading>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Description, ReaderCosts, testing::ValuesIn(DescriptionReadings()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Tables, ReaderCosts, testing::ValuesIn(TableReadings()), NameOf);
INSTANTIATE_TEST_SUITE_P(Sources, ReaderCosts, testing::ValuesIn(SourceReadings()), NameOf);
INSTANTIATE_TEST_SUITE_P(Features, ReaderCosts, testing::ValuesIn(FeatureReadings()), NameOf);
INSTANTIATE_TEST_SUITE_P(Safetensors, ReaderCosts, testing::ValuesIn(SafetensorsReadings()),
                         NameOf);

}  // namespace
}  // namespace weir
