// Looks after a run's memory while it goes on: notes who holds what in the run's memory log, and
// when the container that the process is in comes near its limit, has the pipeline make do with
// less.
//
// Tick() is called by one thread, some ten times a second; the rest while none does.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "pipelines/record/memory_log.h"

namespace weir {

struct MemoryWatchOptions {
  std::filesystem::path log;
  std::size_t limit_bytes = 0;  // the ceiling
  // The container, as it is now.
  std::function<std::optional<ContainerMemory>()> read_container = [] {
    return TightestContainer();
  };
  // What is held on the device now; none where there is no device.
  std::function<std::optional<DeviceHolding>()> read_device = [] {
    return std::optional<DeviceHolding>();
  };
};

class MemoryWatch {
 public:
  // `pipeline` is open, and stays until another one follows. Throws Error(kData) where the log
  // cannot be made.
  MemoryWatch(Pipeline& pipeline, MemoryWatchOptions options);

  // Another pipeline goes on; null: none, and there is no Tick() until one does.
  void Watch(Pipeline* pipeline) { pipeline_ = pipeline; }

  // Gives a line for people when memory is scarce, or more is held than the ceiling, for the first
  // time; empty otherwise.
  std::string Tick(const std::string& doing, std::uint64_t images_done, std::uint64_t images);

  // The run is over, this way: MemorySnapshot::state.
  void End(const std::string& state);

  // What the last tick saw.
  const MemorySnapshot& last() const { return last_; }

 private:
  std::string Squeeze(const ContainerMemory& container);

  Pipeline* pipeline_;
  const MemoryWatchOptions options_;
  MemoryLog log_;
  MemorySnapshot last_;
  std::size_t process_peak_bytes_ = 0;  // the most that was held beside the ledger
  int ticks_to_rest_ = 0;               // ticks until the last step has had its effect
  bool is_above_said_ = false;
};

}  // namespace weir
