#include <tbb/info.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/memory/host_memory.h"
#include "pipelines/commands/commands.h"
#include "stages/device/device.h"
#include "stages/device/host_time.h"

namespace weir {
namespace {

using nlohmann::json;

struct Processor {
  std::string name = "unknown";
  std::vector<std::string> instruction_sets;  // those that weir's kernels can use
};

Processor ReadProcessor() {
  Processor processor;
  std::ifstream file("/proc/cpuinfo");
  std::string flags;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    if (line.starts_with("model name")) processor.name = line.substr(colon + 2);
    if (line.starts_with("flags") || line.starts_with("Features")) {
      flags = " " + line.substr(colon + 2) + " ";
      break;
    }
  }
  for (const char* name : {"sse4_1", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16",
                           "amx_bf16", "asimd", "sve", "bf16", "i8mm"}) {
    if (flags.find(" " + std::string(name) + " ") != std::string::npos) {
      processor.instruction_sets.emplace_back(name);
    }
  }
  return processor;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

struct Gpus {
  std::vector<GpuDescription> all;
  std::string device;  // which one `device: auto` takes, or why none
};

Gpus FindGpus() {
  try {
    std::vector<GpuDescription> all = ListGpus();
    const ChosenDevice chosen = ChooseDevice({});
    if (!chosen.device) return {all, chosen.reason};
    return {all, chosen.reason + ", taken for jobs that the processor would need over " +
                     RoughText(kLeastHostSeconds) + " for"};
  } catch (const Error& error) {
    return {{}, error.what()};
  }
}

}  // namespace

void DevicesCommand(bool as_json) {
  const Processor processor = ReadProcessor();
  const std::vector<MemoryLimit> limits = HostMemoryLimits();
  const Gpus gpus = FindGpus();
  if (as_json) {
    json memory = json::array();
    for (const MemoryLimit& limit : limits) {
      memory.push_back({{"name", limit.name}, {"file", limit.file}, {"bytes", limit.bytes}});
    }
    json all = {{"cpu",
                 {{"name", processor.name},
                  {"threads", tbb::info::default_concurrency()},
                  {"instruction_sets", processor.instruction_sets}}},
                {"memory", {{"limits", memory}, {"auto_bytes", AutomaticHostLimit(limits)}}},
                {"gpus", json::array()},
                {"device", gpus.device}};
    for (const GpuDescription& gpu : gpus.all) {
      all["gpus"].push_back({{"name", gpu.name},
                             {"total_bytes", gpu.total_bytes},
                             {"free_bytes", gpu.free_bytes},
                             {"compute_capability", gpu.compute_capability},
                             {"driver", gpu.driver}});
    }
    std::printf("%s\n", all.dump(2, ' ', false, json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("cpu     %s, %d threads\n", processor.name.c_str(), tbb::info::default_concurrency());
  std::printf("        %s\n", Joined(processor.instruction_sets).c_str());
  for (const GpuDescription& gpu : gpus.all) {
    std::printf("gpu     %s, %s free of %s, compute capability %s, driver %s\n", gpu.name.c_str(),
                ToRoundText(ByteSize{gpu.free_bytes}).c_str(),
                ToRoundText(ByteSize{gpu.total_bytes}).c_str(), gpu.compute_capability.c_str(),
                gpu.driver.empty() ? "unknown" : gpu.driver.c_str());
  }
  std::printf("device  %s\n", gpus.device.c_str());
  std::printf("memory  `memory.host: auto` is %s\n",
              ToRoundText(ByteSize{AutomaticHostLimit(limits)}).c_str());
  for (const MemoryLimit& limit : limits) {
    std::printf("        %-10s %s (%s)\n", ToRoundText(ByteSize{limit.bytes}).c_str(),
                limit.name.c_str(), limit.file.c_str());
  }
}

}  // namespace weir
