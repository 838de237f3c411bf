// A step of each optimizer over 1.3 million values, as many as a dense layer of 1,024 on
// MobileNetV2 has: one thread, with the optimizer's defaults, and with a limit of the gradients'
// norm that they keep (values/s).
#include <benchmark/benchmark.h>
#include <tbb/task_arena.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/random.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/optimizers/optimizer_step.h"

namespace weir {
namespace {

constexpr std::size_t kValues = 1'300'000;

std::vector<float> Random(const char* use) {
  std::vector<float> values(kValues);
  CounterRandom random(1, use);
  for (float& value : values) value = static_cast<float>(random.Uniform(-1, 1));
  return values;
}

void Step(benchmark::State& state, const Part<Optimizer>& part, const char* clip_norm) {
  Problems problems;
  const YamlNode params = YamlNode::Map({{"clip_norm", YamlNode::Scalar(clip_norm)}});
  const auto optimizer = part.read(*clip_norm ? params : YamlNode::Null({}), problems);
  const OptimizerStep step(*optimizer,
                           {{.count = kValues, .weight_decay = optimizer->options().weight_decay}});
  std::vector<float> values = Random("values");
  std::vector<float> gradients = Random("gradients");
  std::vector<std::vector<float>> slots(optimizer->slot_names().size(),
                                        std::vector<float>(kValues, 0.1f));
  const std::vector<std::span<float>> spans(slots.begin(), slots.end());
  tbb::task_arena(1).execute([&] {
    std::uint64_t number = 0;
    for (auto _ : state) {
      step.Apply(values, gradients, spans, ++number, 1e-4);
      benchmark::ClobberMemory();
    }
  });
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kValues));
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  for (const weir::Part<weir::Optimizer>& part : weir::Optimizer::All()) {
    const std::string name(part.names.front());
    benchmark::RegisterBenchmark(name.c_str(), weir::Step, part, "");
    benchmark::RegisterBenchmark((name + "/clip_norm").c_str(), weir::Step, part, "1e6");
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
