// How trainings of weir's would scale to 1,024 ranks, on paper (scaling_model.h), and how far that
// is from what was measured: on this machine with 1, 2 and 4 ranks, and by others on clusters.
//
// usage: scaling CONSTANTS.json
//
// measure.py writes the constants, from runs of this machine. What cannot be measured on it is
// assumed, and is printed with its source.
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/scaling/constants.h"
#include "benchmarks/scaling/published_clusters.h"
#include "benchmarks/scaling/scaling_model.h"

namespace weir {
namespace {

constexpr double kGbit = 1e9 / 8;  // bytes a second
constexpr int kMostRanks = 1024;
constexpr int kBatch = 32;  // the jobs', with one rank
constexpr int kFixedBatch = 256;

// The part of an Ethernet's bits that TCP carries in frames of 1,500 bytes: 1448 of 1538.
constexpr double kTcpPart = 1448.0 / 1538;

// A job of measure.py's, and what it has to tell and to sum.
struct NamedJob {
  std::string name, title;
  ScalingJob job;
};

// A frozen MobileNetV2 tells 1,280 features of a picture; where all of it learns, its logits of two
// classes. Beside either, 32 bytes say which picture it is (SampleGather). Pictures go to a device
// as bytes.
std::vector<NamedJob> Jobs(const Constants& constants) {
  const ScalingJob both{.images_per_rank = kBatch,
                        .file_bytes = constants.At("file_bytes"),
                        .picture_bytes = 224 * 224 * 3};
  ScalingJob frozen = both, unfrozen = both;
  frozen.gathered_bytes = 32 + 1280 * sizeof(float);
  unfrozen.gathered_bytes = 32 + 2 * sizeof(float);
  unfrozen.summed_values = static_cast<std::size_t>(constants.At("unfrozen.summed_values"));
  return {{"article", "the article's job: a head of 1,280 x 1,024 on a frozen MobileNetV2, 224x224",
           frozen},
          {"unfrozen", "the same with everything unfrozen", unfrozen}};
}

// A rank that has all processors of the machine that was measured.
ScalingMachine MachineOf(const Constants& constants, const std::string& job) {
  const auto at = [&](const char* name) { return constants.At(job + "." + name); };
  ScalingMachine machine{.decode_seconds = at("decode_seconds"),
                         .frozen_seconds = at("frozen_seconds"),
                         .learning_seconds = at("learning_seconds"),
                         .optimizer_seconds = at("optimizer_seconds")};
  machine.network = {.bytes_per_second = constants.At("loopback.bytes_per_second"),
                     .latency_seconds = constants.At("loopback.latency_seconds"),
                     .message_seconds = constants.At("message_seconds")};
  return machine;
}

// The same with that many ranks on it, which share its processors and the batch.
Step StepHere(const Constants& constants, const NamedJob& job, int ranks) {
  ScalingMachine machine = MachineOf(constants, job.name);
  for (double* each : {&machine.decode_seconds, &machine.frozen_seconds, &machine.learning_seconds,
                       &machine.optimizer_seconds}) {
    *each *= ranks;
  }
  machine.ranks_per_node = ranks;
  ScalingJob shared = job.job;
  shared.images_per_rank = kBatch / ranks;
  return StepOf(shared, machine, ranks);
}

void PrintConstants(const Constants& constants) {
  std::printf("Measured:\n");
  for (const auto& [name, constant] : constants.all()) {
    std::printf("  %-32s %12.6g  %s\n", name.c_str(), constant.value, constant.from.c_str());
  }
}

void PrintHere(const Constants& constants) {
  std::printf("\nThis machine, all ranks on its processors, a batch of %d for all of them\n",
              kBatch);
  std::printf("  %-10s %5s  %12s %12s %8s   %s\n", "job", "ranks", "predicted", "measured", "error",
              "over one rank: predicted, measured");
  for (const NamedJob& job : Jobs(constants)) {
    const auto name = [&](int ranks) {
      return job.name + ".images_per_second." + std::to_string(ranks);
    };
    const auto measured = [&](int ranks) { return constants.At(name(ranks)); };
    const double alone = StepHere(constants, job, 1).images_per_second;
    for (const int ranks : {1, 2, 4}) {
      if (!constants.Has(name(ranks))) continue;
      const double predicted = StepHere(constants, job, ranks).images_per_second;
      std::printf("  %-10s %5d  %8.1f i/s %8.1f i/s %+7.1f%%   %.3f, %.3f\n", job.name.c_str(),
                  ranks, predicted, measured(ranks), 100 * (predicted / measured(ranks) - 1),
                  predicted / alone, measured(ranks) / measured(1));
    }
  }
  const auto values = static_cast<std::size_t>(constants.At("loopback.sum_values"));
  const ScalingNetwork loopback = MachineOf(constants, "unfrozen").network;
  for (const int ranks : {2, 4}) {
    const double predicted = SumSeconds(values, loopback, ranks, ranks);
    const double measured = constants.At("loopback.sum_seconds." + std::to_string(ranks));
    std::printf("  %-10s %5d  %9.1f ms %9.1f ms %+7.1f%%   %s\n", "sum", ranks, 1e3 * predicted,
                1e3 * measured, 100 * (predicted / measured - 1),
                ranks == 2 ? "the loopback's bandwidth is from this one" : "");
  }
}

void PrintPublished() {
  std::printf(
      "\nClusters of others, a node as a rank: nothing is summed while something is computed, "
      "which "
      "these\nprograms did, and no rank is late\n");
  for (const PublishedCluster& cluster : PublishedClusters()) {
    std::printf("  %s (%s)\n", cluster.network.c_str(), cluster.source.c_str());
    ScalingMachine node{.learning_seconds = cluster.node_step_seconds};
    node.network = {.bytes_per_second = kTcpPart * cluster.bytes_per_second,
                    .latency_seconds = 50e-6};  // an assumption
    const ScalingJob job{.images_per_rank = 1,
                         .summed_values = static_cast<std::size_t>(cluster.parameters)};
    for (const auto& [nodes, efficiency] : cluster.points) {
      const double predicted = cluster.node_step_seconds / StepOf(job, node, nodes).seconds;
      std::printf("  %5d nodes: efficiency predicted %.3f, published %.3f, error %+.1f%%\n", nodes,
                  predicted, efficiency, 100 * (predicted / efficiency - 1));
    }
  }
}

// With as many pictures for each rank as the job has, or where `batch` is given with that many for
// all of them.
void PrintTable(const std::string& title, ScalingJob job, const ScalingMachine& machine,
                int batch = 0) {
  std::printf("\n%s\n  %5s %10s %11s %11s   %s\n", title.c_str(), "ranks", "images/s", "efficiency",
              "step, ms", "the longest part");
  double alone = 0;
  for (int ranks = 1; ranks <= (batch > 0 ? batch : kMostRanks); ranks *= 2) {
    if (batch > 0) job.images_per_rank = batch / ranks;
    const Step step = StepOf(job, machine, ranks);
    if (ranks == 1) alone = step.images_per_second;
    std::printf("  %5d %10.0f %11.3f %11.1f   %s\n", ranks, step.images_per_second,
                step.images_per_second / (ranks * alone), 1e3 * step.seconds,
                std::string(step.bound()).c_str());
  }
}

// Nothing of this is measured.
struct GpuAssumptions {
  // An A100 takes 3.8 ms for 32 pictures forward (keras.io/api/applications, MobileNetV2).
  double forward_seconds = 3.8e-3 / 32;
  // A training step takes 4.9 times as long as inference: MobileNetV3 on a V100, 5,980 and 1,210
  // pictures a second (github.com/zjunlp/ImageNet21K, MODEL_ZOO.md).
  double training_over_forward = 5980.0 / 1210;
  // A head of 1.3 million parameters, 6 operations each for a picture, at half of an A100's 19.5
  // TFLOP/s in float32 (NVIDIA's data sheet).
  double head_seconds = 6 * 1.31e6 / (0.5 * 19.5e12);
  double optimizer_seconds = 1e-3;     // some hundred kernels; a guess
  double bus_bytes_per_second = 25e9;  // PCIe 4.0 x16, of 31.5 in theory
  double network_bytes_per_second = 25 * kGbit;
  double processors = 16;                 // that decode for a GPU
  double storage_bytes_per_second = 2e9;  // a local NVMe disk
};

ScalingMachine GpuMachine(const Constants& constants, const std::string& job) {
  const GpuAssumptions gpu;
  ScalingMachine machine = MachineOf(constants, job);
  machine.has_device = true;
  machine.decode_seconds *= constants.At("threads") / gpu.processors;
  machine.bus_bytes_per_second = gpu.bus_bytes_per_second;
  machine.storage_bytes_per_second = gpu.storage_bytes_per_second;
  const bool is_frozen = job == "article";
  machine.frozen_seconds = is_frozen ? gpu.forward_seconds : 0;
  machine.learning_seconds =
      is_frozen ? gpu.head_seconds : gpu.forward_seconds * gpu.training_over_forward;
  machine.optimizer_seconds = gpu.optimizer_seconds;
  machine.network.bytes_per_second = kTcpPart * gpu.network_bytes_per_second;
  return machine;
}

void PrintProjections(const Constants& constants) {
  constexpr double kSwitchSeconds =
      30e-6;  // what a switched Ethernet adds to the loopback's latency
  constexpr double kDiskBytesPerSecond = 500e6;  // a SATA disk, one for each
  std::printf(
      "\nProjections. A rank has a machine of its own and %d pictures of each batch, so that the "
      "batch grows with\nthe ranks (batch.size: %d x ranks, ranks: {pieces: ranks}). Not measured: "
      "the "
      "Ethernet, with %.0f us beside\nwhat the loopback takes; the disk, of %.0f MB/s.\n",
      kBatch, kBatch, 1e6 * kSwitchSeconds, kDiskBytesPerSecond / 1e6);
  for (const NamedJob& job : Jobs(constants)) {
    ScalingMachine host = MachineOf(constants, job.name);
    host.storage_bytes_per_second = kDiskBytesPerSecond;
    host.network.bytes_per_second = 10 * kGbit * kTcpPart;
    host.network.latency_seconds += kSwitchSeconds;
    PrintTable("Processors as these, 10 Gbit/s: " + job.title, job.job, host);
    PrintTable("The same with a batch of " + std::to_string(kFixedBatch) + " for all ranks",
               job.job, host, kFixedBatch);
    if (!constants.Has(job.name + ".noise")) continue;
    host.noise = constants.At(job.name + ".noise");
    PrintTable("The first where each rank's steps vary as they did here, each by chance of its own",
               job.job, host);
  }
  const GpuAssumptions gpu;
  std::printf(
      "\nWith a GPU a rank all of it is assumed: an A100 (keras.io/api/applications: 3.8 ms "
      "forward "
      "for 32\npictures; %.1f times that for a step, MobileNetV3 on a V100 in github.com/zjunlp/"
      "ImageNet21K; %.1f ms for the\noptimizer, a guess), PCIe 4.0 x16 at %.0f GB/s, 25 Gbit/s, "
      "%.0f "
      "processors that decode, a disk of %.0f GB/s.\n",
      gpu.training_over_forward, 1e3 * gpu.optimizer_seconds, gpu.bus_bytes_per_second / 1e9,
      gpu.processors, gpu.storage_bytes_per_second / 1e9);
  for (const NamedJob& job : Jobs(constants)) {
    ScalingMachine machine = GpuMachine(constants, job.name);
    machine.network.latency_seconds += kSwitchSeconds;
    PrintTable("A GPU a rank, assumed: " + job.title, job.job, machine);
  }
}

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: scaling CONSTANTS.json\n");
    return 2;
  }
  try {
    const Constants constants = Constants::ReadFrom(argv[1]);
    PrintConstants(constants);
    PrintHere(constants);
    PrintPublished();
    PrintProjections(constants);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scaling: %s\n", error.what());
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) { return weir::Main(argc, argv); }
