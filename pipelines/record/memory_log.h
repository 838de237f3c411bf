// A small file in the run folder that says who holds how much memory, rewritten in place while a
// run goes on. It is all that is left of a run that was killed, and what `weir explain` reads.
//
// JSON of at most a few KB, each time in one write; a process that is killed leaves the last one
// whole. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/graph/pipeline.h"
#include "framework/memory/host_memory.h"

namespace weir {

// What this process holds on a GPU.
struct DeviceHolding {
  std::string name;
  std::size_t limit_bytes = 0;  // the ceiling
  std::size_t bytes = 0;
  std::size_t peak_bytes = 0;
};

// What is known at one moment.
struct MemorySnapshot {
  std::string state = "running";    // or "done", "interrupted", "failed: ..."
  std::int64_t time = 0;            // seconds since 1970
  int process = 0;                  // its number, while it is running
  std::uint64_t process_begin = 0;  // when it began (ProcessBegin), 0 where that is not known
  std::string doing;                // "epoch 3/10 train"
  std::uint64_t images_done = 0;    // in that pass
  std::uint64_t images = 0;
  std::size_t limit_bytes = 0;  // the ceiling
  std::size_t held_bytes = 0;   // what the process holds: RssAnon and RssShmem
  std::size_t peak_held_bytes = 0;
  std::size_t available_bytes = 0;  // on the machine
  std::optional<ContainerMemory> container;
  std::vector<Pipeline::Holding> holdings;  // the first is the process itself: what no stage leases
  std::optional<DeviceHolding> device;      // none where it runs on the host
  std::string squeezed;                     // the last that memory grew scarce for
};

class MemoryLog {
 public:
  // Takes the room on the disk at once, so that a full one is known before the run begins. Throws
  // Error(kData) where it cannot be made.
  explicit MemoryLog(const std::filesystem::path& path);
  MemoryLog(const MemoryLog&) = delete;
  MemoryLog& operator=(const MemoryLog&) = delete;
  ~MemoryLog();

  // What cannot be written is left out: a log is no reason to end a run.
  void Write(const MemorySnapshot& snapshot) noexcept;

  // Throws Error(kData) where there is none, or it is damaged.
  static MemorySnapshot Read(const std::filesystem::path& path);

 private:
  int file_ = -1;
};

}  // namespace weir
