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
#include "stages/model/safetensors_limits.h"
#include "stages/model/weights_file.h"
#include "tests/support/counted_heap.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Reading {
  const char* name;
  std::string bytes;  // of the file
  std::function<void(const std::string& path)> read;
  std::size_t most_bytes;          // that the reader may take
  const char* file_name = "file";  // its ending tells some readers what it is
};

void PrintTo(const Reading& reading, std::ostream* out) { *out << reading.name; }

// `each` with # for 0, 1, 2, ..., and `separator` between, until it is `most` long or often.
std::string Repeated(const std::string& each, std::size_t most_bytes, std::size_t times = ~0ull,
                     const std::string& separator = ",") {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    std::string next = i == 0 ? "" : separator;
    for (const char c : each) next += c == '#' ? std::to_string(i) : std::string(1, c);
    if (all.size() + next.size() > most_bytes) break;
    all += next;
  }
  return all;
}

void OpenWeights(const std::string& path) { WeightsFile::Open(path); }

std::string Safetensors(const std::string& header) {
  return LittleEndian<std::uint64_t>(header.size()) + header;
}

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

INSTANTIATE_TEST_SUITE_P(Safetensors, ReaderCosts, testing::ValuesIn(SafetensorsReadings()),
                         NameOf);

}  // namespace
}  // namespace weir
