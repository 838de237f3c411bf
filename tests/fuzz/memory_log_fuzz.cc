// memory.json of a run folder, which `weir explain` reads.
#include "pipelines/record/memory_log.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const ScratchFolder folder;
  MemorySnapshot snapshot;
  snapshot.state = "failed: no room";
  snapshot.time = 1'700'000'000;
  snapshot.doing = "epoch 3/10 train";
  snapshot.holdings = {{"process", "libraries", 1, 2, 3}, {"decode", "pictures", 4, 5, 6}};
  snapshot.container = ContainerMemory{"/sys/fs/cgroup/memory.max", 1, 2};
  MemoryLog(folder / "memory.json").Write(snapshot);
  const std::string text = FileText(folder / "memory.json");
  return {text.substr(0, text.find_last_of('}') + 1), "{}", R"({"state": "done", "time": -1})"};
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile file("memory.json");
  MemoryLog::Read(file.With(bytes));
}

}  // namespace weir
