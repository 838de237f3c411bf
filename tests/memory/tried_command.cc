#include "tests/memory/tried_command.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTraining = R"(
threads: 1
memory: {host: 1GiB}
pipeline:
  - directory: {path: pictures, validation_split: 0.17}
  - decode
  - augment: {size: [33, 33], zoom: 0.1}
  - batch: {size: 4}
  - prefetch: {device: cpu}
  - features
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none, convention: torchvision}
  frozen: {through: block_14}
  head: [global_average_pooling, dense: {units: classes, activation: softmax}]
training: {epochs: 1, checkpoint_interval: 0s}
)";

// Each stage that writes files.
constexpr const char* kWriting = R"(
threads: 1
memory: {host: 1GiB}
pipeline:
  - directory: {path: pictures, shuffle: false}
  - decode
  - augment: {size: [32, 32]}
  - contact_sheet: {from: augment, path: sheet.png, columns: 4, rows: 4, cell: 32}
  - encode: {from: augment, format: png}
  - webdataset_writer: {folder: shards, shard_size: 1MiB}
  - batch: {from: augment, size: 4}
  - normalize
  - safetensors: {path: tensors.safetensors}
)";

void CheckIsDone(const ProcessOutcome& outcome) {
  if (outcome.status != 0) throw std::runtime_error(outcome.out + outcome.err);
}

std::string WithOut(std::string argument, const std::string& out) {
  const std::size_t at = argument.find("OUT");
  return at == std::string::npos ? argument : argument.replace(at, 3, out);
}

// The pictures, the configurations, and runs that were there before.
struct Work {
  Work() {
    CheckIsDone(Weir({"draw", (folder / "all").string(), "--per-class", "6"}));
    for (const char* name : {"tree", "sailboat"}) {
      fs::create_directories(pictures);
      fs::rename(folder / "all" / name, fs::path(pictures) / name);
    }
    CheckIsDone(Weir({"run", training, "--out", done}));
    fs::copy(done, killed, fs::copy_options::recursive);
    std::string log = FileText(folder / "killed/memory.json");
    const std::string state = R"("state": "done")";
    const std::size_t at = log.find(state);
    if (at == std::string::npos) throw std::runtime_error("no state in " + log);
    folder.Write("killed/memory.json", log.replace(at, state.size(), R"("state": "running")"));
  }

  const ScratchFolder folder;
  const std::string training = folder.Write("training.yaml", kTraining).string();
  const std::string writing = folder.Write("writing.yaml", kWriting).string();
  const std::string pictures = (folder / "pictures").string();
  const std::string done = (folder / "done").string();
  const std::string killed = (folder / "killed").string();
};

const Work& TheWork() {
  static const Work work;
  return work;
}

std::vector<TriedCommand> MakeTriedCommands() {
  const Work& work = TheWork();
  return {
      {"run", {"run", work.training, "--out", "OUT"}, {}, /*goes_on=*/true},
      {"resume",
       {"run", work.training, "--out", "OUT", "--resume", "--set", "training.epochs=2"},
       work.done,
       /*goes_on=*/true},
      {"flow",
       {"run", work.writing, "--out", "OUT", "--set", "pipeline.contact_sheet.path=OUT/sheet.png",
        "--set", "pipeline.webdataset_writer.folder=OUT/shards", "--set",
        "pipeline.safetensors.path=OUT/tensors.safetensors"}},
      {"predict", {"predict", work.done, work.pictures}},
      {"evaluate", {"evaluate", work.done, work.pictures}},
      {"check", {"check", work.training}},
      {"preview", {"preview", work.training, "--out", "OUT/sheet.png"}},
      {"plan", {"plan", work.training}},
      {"explain", {"explain", work.killed}},
      {"export", {"export", work.done, "--to", "onnx", "--out", "OUT/model.onnx"}},
      {"keras", {"export", work.done, "--to", "keras", "--out", "OUT/model.weights.h5"}},
      {"torchvision", {"export", work.done, "--to", "torchvision", "--out", "OUT/model.pth"}},
      {"tflite", {"export", work.done, "--to", "tflite", "--out", "OUT/model.tflite"}},
      {"torchscript", {"export", work.done, "--to", "torchscript", "--out", "OUT/model.pt"}},
  };
}

WholeRun MakeWholeRun(const TriedCommand& command, bool counts_memory) {
  const fs::path out = TrialFolder();
  command.Prepare(out);
  const FailedRun run =
      RunFailing(command.ArgumentsFor(out), {.kind = counts_memory ? kMemoryKind : ""});
  CheckIsDone(run.outcome);
  WholeRun whole{run.outcome.out, FilesBelow(out), run.requests};
  fs::remove_all(out);
  return whole;
}

}  // namespace

std::map<std::string, std::string> FilesBelow(const fs::path& folder) {
  std::map<std::string, std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), folder).string()] = FileText(entry.path());
  }
  return files;
}

void TriedCommand::Prepare(const fs::path& out) const {
  fs::remove_all(out);
  if (!before.empty()) fs::copy(before, out, fs::copy_options::recursive);
}

std::vector<std::string> TriedCommand::ArgumentsFor(const fs::path& out) const {
  std::vector<std::string> all;
  for (const std::string& argument : arguments) all.push_back(WithOut(argument, out.string()));
  return all;
}

const TriedCommand& FindTriedCommand(std::string_view name) {
  static const std::vector<TriedCommand> commands = MakeTriedCommands();
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [name](const auto& each) { return each.name == name; });
  if (found == commands.end()) {
    throw std::runtime_error("no command " + std::string(name) + " is tried");
  }
  return *found;
}

const WholeRun& FindWholeRun(const TriedCommand& command, bool counts_memory) {
  static std::map<std::pair<std::string, bool>, WholeRun> runs;
  const std::pair key(command.name, counts_memory);
  const auto found = runs.find(key);
  if (found != runs.end()) return found->second;
  return runs.emplace(key, MakeWholeRun(command, counts_memory)).first->second;
}

fs::path TrialFolder() { return TheWork().folder / "trial"; }

}  // namespace weir
