// What ranks on one machine exchange: the sum of 3.5 million gradients, 14 MB, as all of a
// MobileNetV2 and its head have, that of a few, which is all messages and hardly any bytes, and the
// figures of a batch. Each rank is a thread with a connection of its own, so the copies through the
// loopback are those of processes.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "stages/ranks/gloo_group.h"
#include "stages/ranks/gradient_sum.h"

namespace weir {
namespace {

constexpr std::size_t kValues = 3'500'000;
constexpr std::size_t kFewValues = 1024;

// What a rank does again and again, until rank 0 has had enough.
void Run(benchmark::State& state, const std::function<void(RankGroup&)>& once) {
  const int ranks = static_cast<int>(state.range(0));
  std::promise<std::uint16_t> opened;
  const std::shared_future<std::uint16_t> port = opened.get_future().share();
  const auto join = [&](int rank) {
    GlooOptions options{.place = {rank, ranks, rank, ranks}, .address = "127.0.0.1"};
    if (rank == 0) {
      options.on_open = [&](std::uint16_t at) { opened.set_value(at); };
    } else {
      options.port = port.get();
    }
    return JoinByGloo(options);
  };
  std::vector<std::thread> others;
  for (int rank = 1; rank < ranks; ++rank) {
    others.emplace_back([&, rank] {
      const std::shared_ptr<RankGroup> group = join(rank);
      while (GatherTexts(*group, "").front() == "again") once(*group);
    });
  }
  const std::shared_ptr<RankGroup> group = join(0);
  for (auto unused : state) {
    state.PauseTiming();
    GatherTexts(*group, "again");
    state.ResumeTiming();
    once(*group);
  }
  GatherTexts(*group, "enough");
  for (std::thread& each : others) each.join();
}

void Sum(benchmark::State& state, std::size_t values) {
  Run(state, [values](RankGroup& group) {
    thread_local std::vector<float> run, buffer(kSumBufferValues);
    run.resize(values, 1.0f);  // where another benchmark has left a longer one
    const RankPlace place = group.place();
    const RankShare share{
        .rank = place.rank, .ranks = place.ranks, .batch_size = place.ranks, .piece_size = 1};
    const std::span<float> mine(run);
    SumOverRanks(group, share, place.ranks, {&mine, 1}, mine, 1.0f / 32, buffer);
  });
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(values * sizeof(float)));
}

void SumOfGradients(benchmark::State& state) { Sum(state, kValues); }
BENCHMARK(SumOfGradients)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();

void SumOfFew(benchmark::State& state) { Sum(state, kFewValues); }
BENCHMARK(SumOfFew)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Unit(benchmark::kMillisecond)->UseRealTime();

void FiguresOfABatch(benchmark::State& state) {
  Run(state, [](RankGroup& group) {
    const std::vector<std::byte> mine(600);
    std::vector<std::byte> all(mine.size() * static_cast<std::size_t>(group.place().ranks));
    AllGather(group, mine, all);
  });
}
BENCHMARK(FiguresOfABatch)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace weir
