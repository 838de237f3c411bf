// A configuration file: what every run has, the stages of its pipeline, and the sections that other
// components read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "framework/config/device_selection.h"
#include "framework/config/duration.h"
#include "framework/config/params.h"

namespace weir {

// Memory of a device: a size, or a part of what it has, in (0, 1]. A number up to 1 is a part.
struct DeviceMemory {
  std::variant<ByteSize, double> amount;
};

template <>
struct ParamType<DeviceMemory> {
  static TypeWords Words(const FieldRules&);
  static std::optional<DeviceMemory> Read(const YamlNode&, const FieldRules&, Problems&);
  static YamlNode Write(const DeviceMemory&, const FieldRules&);
  static YamlNode Schema(const FieldRules&);
};

struct MemoryConfig {
  Auto<ByteSize> host;
  Auto<DeviceMemory> device;

  static auto Fields() {
    return std::tuple{
        Field{"host", &MemoryConfig::host, "The most that the process may ever hold.",
              MoreThan{ByteSize{0}}},
        Field{"device", &MemoryConfig::device,
              "The most that the process may hold on the GPU: a size, or a part such as 0.5."}};
  }
};

// A training that several processes may share.
struct RanksConfig {
  int pieces = 8;
  Duration timeout{300};

  static auto Fields() {
    return std::tuple{
        Field{"pieces", &RanksConfig::pieces,
              "A batch is cut in so many, which ranks share; what is learnt follows them, and not "
              "how many ranks there are, which are so many at most.",
              Range{1, 65536}},
        Field{"timeout", &RanksConfig::timeout,
              "How long a rank waits for another before it gives up."}};
  }
  void Check(const Blame& blame) const;
};

// `- augment: {size: [224, 224]}`, or `- augment` alone.
struct StageConfig {
  std::string stage;
  std::string as;                 // its name in the pipeline; empty: the stage's own
  std::vector<std::string> from;  // the earlier stages that it takes from; empty: the one before it
  std::vector<Position> from_positions;  // where each of `from` is written
  YamlNode params;    // a map without `as` and `from`, or null; for Parse<Params>
  Position position;  // where the stage's name is written

  const std::string& name() const { return as.empty() ? stage : as; }
};

template <>
struct ParamType<StageConfig> {
  static TypeWords Words(const FieldRules&);
  static std::optional<StageConfig> Read(const YamlNode&, const FieldRules&, Problems&);
  static YamlNode Write(const StageConfig&, const FieldRules&);
  // Describes the form alone: which stages there are is not known here.
  static YamlNode Schema(const FieldRules&) {
    return schema::AnyOf({schema::OfType("string"), schema::OfType("object")});
  }
};

struct Config {
  std::string name;
  std::uint64_t seed = 1;
  Auto<int> threads;
  MemoryConfig memory;
  DeviceSelection device;    // what `device: auto` of a stage that brings batches to one means
  Position device_position;  // where it is written; nowhere: by default
  std::optional<RanksConfig> ranks;  // empty: one process alone, which cuts nothing in pieces
  std::vector<std::filesystem::path> plugins;
  std::vector<StageConfig> pipeline;
  std::map<std::string, YamlNode, std::less<>> sections;  // "model", "training", as written

  // Processes of the job on this machine, which share what it has, and which of them this one is.
  // Not written in the file: the command sets it.
  int processes = 1;
  int process = 0;

  // null where the file does not have it: then every default holds.
  YamlNode Section(std::string_view section) const;

  static auto Fields() {
    return std::tuple{
        Field{"name", &Config::name, "What the run is called; by default as its file is.",
              ElsewhereCalled{"run_name", "experiment", "experiment_name"}},
        Field{"seed", &Config::seed, "Of all random numbers.",
              ElsewhereCalled{"random_state", "random_seed", "manual_seed", "rng_seed"}},
        Field{"threads", &Config::threads, "Workers of the scheduler.", Range{1, 1024},
              ElsewhereCalled{"num_workers", "workers", "nthreads", "num_threads", "n_threads",
                              "n_jobs", "num_parallel_calls"}},
        Field{"memory", &Config::memory, "The ceilings."},
        Field{"device", &Config::device,
              "Where the model runs and learns: auto takes a GPU where there is one with room, and "
              "the processor would need more than some 20 s for the model in all of the job.",
              ElsewhereCalled{"accelerator"}},
        Field{"ranks", &Config::ranks,
              "How several processes share the training (`weir run --ranks N`, torchrun, srun, "
              "mpirun). `{}` gives one process the numbers that any other count has.",
              ElsewhereCalled{"world_size", "num_nodes", "strategy", "distributed"}},
        Field{"plugins", &Config::plugins, "Shared objects with more stages."},
        Field{"pipeline", &Config::pipeline, "The stages, in the order of the flow.", Required{},
              ElsewhereCalled{"stages", "steps"}}};
  }
  void Check(const Blame& blame) const;
};

// Reads `path`, applies the --set options in order, and checks everything that is not a stage's or
// a section's own. `sections` are the keys of the top level that others read.
Config LoadConfig(const std::filesystem::path& path, std::span<const std::string> overrides,
                  std::span<const std::string> sections, Problems& problems);
// Throws Error(kConfig) with every problem there is.
Config LoadConfig(const std::filesystem::path& path, std::span<const std::string> overrides,
                  std::span<const std::string> sections);

// The whole as a tree, sections and stages as `config` holds them now. To write a configuration as
// resolved, put ToYaml of the typed parameters in the place of what was written.
YamlNode ToYaml(const Config& config);

}  // namespace weir
