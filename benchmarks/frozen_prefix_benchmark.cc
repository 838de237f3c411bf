// Pictures a second through the whole frozen backbone, one sample at a time, as the `features`
// stage runs it on a CPU: real time, so that two threads are compared with one.
#include <benchmark/benchmark.h>

#include "framework/error.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/frozen_prefix.h"
#include "tests/support/mobilenet_v2.h"

namespace weir {
namespace {

std::vector<std::uint8_t> Pixels(int size) {
  return std::vector<std::uint8_t>(std::size_t(size) * size * 3, 100);
}

std::unique_ptr<FrozenPrefix> MakePrefix(double width, int size, Precision precision) {
  const Network model = MobileNetV2(width, {size, size}, Convention::Keras()).network();
  const LayerReader weights = RandomLayers(model, 1);
  PrefixOptions options{.last_layer = static_cast<int>(model.layers().size()) - 1,
                        .pooling = Pooling::kAverage};
  if (precision == Precision::kInt8) {
    MapMeter meter(model);
    options.watch = meter.Watcher();
    const auto exact = MakeOneDnnPrefix(model, weights, options);
    std::vector<float> features(exact->output_values());
    exact->Run(Pixels(size).data(), *exact->MakeWorkspace(), features.data());
    options.watch = {};
    options.maps = std::make_shared<const std::vector<MapStatistics>>(meter.Finish());
  }
  options.precision = precision;
  return MakeOneDnnPrefix(model, weights, options);
}

// One prefix for all threads, as in the pipeline; a workspace each.
std::unique_ptr<FrozenPrefix> shared_prefix;

void FrozenPrefixRun(benchmark::State& state, double width, int size, Precision precision) {
  if (state.thread_index() == 0) {
    try {
      shared_prefix = MakePrefix(width, size, precision);
    } catch (const Error& error) {
      state.SkipWithError(error.what());
    }
  }
  // The other threads see what the first one made once all have come to the loop.
  const std::vector<std::uint8_t> pixels = Pixels(size);
  std::vector<float> features;
  std::unique_ptr<FrozenPrefix::Workspace> workspace;
  for (auto _ : state) {
    if (!shared_prefix) {
      state.SkipWithError("there is no prefix");
      break;
    }
    if (!workspace) {
      workspace = shared_prefix->MakeWorkspace();
      features.resize(shared_prefix->output_values());
    }
    shared_prefix->Run(pixels.data(), *workspace, features.data());
    benchmark::DoNotOptimize(features.data());
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0 && shared_prefix) {
    state.counters["weights_MB"] = static_cast<double>(shared_prefix->weights_bytes()) / 1e6;
    state.counters["workspace_MB"] = static_cast<double>(shared_prefix->workspace_bytes()) / 1e6;
    shared_prefix.reset();
  }
}

BENCHMARK_CAPTURE(FrozenPrefixRun, float32, 1.0, 224, Precision::kFloat32)
    ->ThreadRange(1, 2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(FrozenPrefixRun, bfloat16, 1.0, 224, Precision::kBfloat16)
    ->ThreadRange(1, 2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(FrozenPrefixRun, int8, 1.0, 224, Precision::kInt8)
    ->ThreadRange(1, 2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(FrozenPrefixRun, float32_width_0_35_size_160, 0.35, 160, Precision::kFloat32)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir
