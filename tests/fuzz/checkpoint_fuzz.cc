// A checkpoint. Behind an 'h', its header and, behind the last brace, its values. Behind anything
// else, what its metadata say in an otherwise whole file, divided by zero bytes: where the training
// stands, what it trains, and what the command remembers.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "stages/train/checkpoint.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

const Declaration kDeclaration = {{"backbone", "mobilenet_v2, width 1"}, {"classes", "ants, bees"}};

constexpr const char* kPosition =
    R"({"epoch":3,"next_sample":64,"step":17,"loss_sum":0.3,"images":64,"correct":60,)"
    R"("metrics":{"another":[1.5,8]}})";
constexpr const char* kInAPhase =
    R"({"epoch":5,"next_sample":64,"step":17,"phase_step":14,"optimizer_step":16,)"
    R"("phase_epoch":3,"averaged_epochs":2,"monitored":[0.5,-1e-300,0.75],)"
    R"("begun":{"head.1.bias":2},"loss_sum":0.3,"images":64,"correct":60})";

// The table of two arrays, 8 floats in all.
const ParameterTable& Table() {
  static const ParameterTable table = [] {
    ParameterTable two;
    two.Add("head.1.weight", {2, 3});
    two.Add("head.1.bias", {2});
    return two;
  }();
  return table;
}

std::string Header(std::string_view position, std::string_view declaration,
                   std::string_view extra) {
  const auto tensor = [](std::vector<int> shape, int begin, int end) {
    return nlohmann::json{{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, end}}};
  };
  return nlohmann::json{{"__metadata__",
                         {{"weir.checkpoint", "1"},
                          {"weir.position", position},
                          {"weir.declaration", declaration},
                          {"weir.extra", extra}}},
                        {"head.1.weight", tensor({2, 3}, 0, 24)},
                        {"head.1.bias", tensor({2}, 24, 32)}}
      .dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

const std::string kValues(32, '\1');

std::string File(std::string_view bytes) {
  const char kind = bytes.empty() ? 'h' : bytes[0];
  bytes.remove_prefix(bytes.empty() ? 0 : 1);
  if (kind == 'h') {
    const std::size_t end = bytes.rfind('}');
    const std::uint64_t header = end == bytes.npos ? bytes.size() : end + 1;
    return LittleEndian(header) + std::string(bytes);
  }
  std::array<std::string_view, 3> parts;
  for (std::string_view& part : parts) {
    part = bytes.substr(0, bytes.find('\0'));
    bytes.remove_prefix(std::min(part.size() + 1, bytes.size()));
  }
  const std::string header = Header(parts[0], parts[1], parts[2]);
  return LittleEndian(std::uint64_t{header.size()}) + header + kValues;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const std::string declaration = nlohmann::json(kDeclaration).dump(), zero(1, '\0');
  return {"h" + Header(kPosition, declaration, "") + kValues,
          "m" + std::string(kPosition) + zero + declaration + zero + "an extra",
          "m" + std::string(kInAPhase) + zero + declaration + zero,
          "m{\"epoch\":0,\"next_sample\":0,\"step\":0,\"loss_sum\":0,\"images\":0,\"correct\":0}" +
              zero + R"([["backbone","another"]])",
          "m" + std::string(kPosition) + zero + R"([["seed","1"],[],{"a":"b"}])"};
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile file("checkpoint.safetensors");
  const std::filesystem::path path = file.With(File(bytes));
  std::vector<float> values(Table().values());
  const CheckpointArrays arrays{{{"", &Table(), values}}};
  const RestoredState state = RestoreCheckpoint(path, arrays, kDeclaration);
  TakeOverCheckpoint(path, arrays, kDeclaration);
  // What is read can be written, and is then read as it was.
  static const ScratchFolder folder;
  SaveCheckpoint(folder / "again", arrays, kDeclaration, state.position, state.extra);
  const TrainingPosition again = RestoreCheckpoint(folder / "again", arrays, kDeclaration).position;
  if (again.phase_step != state.position.phase_step || again.begun != state.position.begun ||
      again.monitored != state.position.monitored) {
    std::abort();
  }
}

}  // namespace weir
