#include "benchmarks/scaling/scaling_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "stages/ranks/gradient_sum.h"

namespace weir {
namespace {

double BandwidthOfARank(const ScalingNetwork& network, int ranks, int ranks_per_node) {
  return network.bytes_per_second / std::min(ranks, ranks_per_node);
}

double ExchangeSeconds(const ScalingJob& job, const ScalingMachine& machine, int ranks) {
  const ScalingNetwork& network = machine.network;
  // Both ways of learning tell each rank all pictures' losses and labels, beside features or
  // logits.
  const double gather = GatherSeconds(job.images_per_rank * job.gathered_bytes, network, ranks,
                                      machine.ranks_per_node);
  if (job.gathers_features()) return gather;
  return gather + SumSeconds(job.summed_values, network, ranks, machine.ranks_per_node);
}

}  // namespace

std::string_view Step::bound() const {
  std::pair<double, std::string_view> longest{storage, "storage"};
  for (const std::pair<double, std::string_view>& part :
       {std::pair{decode, std::string_view("decode")},
        {bus, "bus"},
        {frozen, "frozen part"},
        {learning, "learning"},
        {exchange, "exchange"},
        {waiting, "waiting"}}) {
    if (part.first > longest.first) longest = part;
  }
  return longest.second;
}

Step StepOf(const ScalingJob& job, const ScalingMachine& machine, int ranks) {
  const int neighbours = std::min(ranks, machine.ranks_per_node);
  const double images = job.images_per_rank;
  const double learnt_from = job.gathers_features() ? images * ranks : images;
  Step step;
  step.storage = images * neighbours * job.file_bytes / machine.storage_bytes_per_second;
  step.decode = images * machine.decode_seconds;
  step.bus = images * job.picture_bytes / machine.bus_bytes_per_second;
  step.frozen = images * machine.frozen_seconds;
  step.learning = learnt_from * machine.learning_seconds + machine.optimizer_seconds;
  step.exchange = ExchangeSeconds(job, machine, ranks);

  // The host's processors decode and compute by turns; a device computes while they decode.
  const double computed = step.frozen + step.learning;
  const double own = machine.has_device ? std::max({step.storage, step.decode, step.bus, computed})
                                        : std::max(step.storage, step.decode + computed);
  step.waiting = own * machine.noise * ExpectedLargest(ranks);
  // Where features are told, those of the next batch are computed meanwhile; a sum of gradients has
  // to be there before the next batch can be learnt from.
  step.seconds =
      step.waiting + (job.gathers_features() ? std::max(own, step.exchange) : own + step.exchange);
  step.images_per_second = images * ranks / step.seconds;
  return step;
}

// The run is summed in blocks, as many values of each as fit in the buffer once for each rank. For
// a block each rank sends every other one its part of that one's slice, and then the sum of its
// own: an N-th of the block each time.
SumTraffic SumTrafficOf(std::size_t values, int ranks) {
  if (ranks <= 1) return {};
  const auto count = static_cast<std::size_t>(ranks);
  const std::size_t block = kSumBufferValues / count * count;
  const auto blocks = static_cast<double>((values + block - 1) / block);
  const double others = ranks - 1;
  return {.exchanges = 2 * blocks,
          .messages = 2 * blocks * others,
          .bytes = 2 * static_cast<double>(values * sizeof(float)) * others / ranks};
}

double SumSeconds(std::size_t values, const ScalingNetwork& network, int ranks,
                  int ranks_per_node) {
  const SumTraffic traffic = SumTrafficOf(values, ranks);
  return traffic.exchanges * network.latency_seconds + traffic.messages * network.message_seconds +
         traffic.bytes / BandwidthOfARank(network, ranks, ranks_per_node);
}

// ceil(log2(ranks)) rounds of one message each, in which a rank gets the blocks of all others.
double GatherSeconds(double bytes, const ScalingNetwork& network, int ranks, int ranks_per_node) {
  int rounds = 0;
  for (int held = 1; held < ranks; held *= 2) ++rounds;
  return rounds * (network.latency_seconds + network.message_seconds) +
         (ranks - 1) * bytes / BandwidthOfARank(network, ranks, ranks_per_node);
}

double ExpectedLargest(int count) {
  constexpr double kWidth = 1e-3, kFarthest = 10;  // standard deviations
  const auto below = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  double sum = 0;
  double before = 0;
  for (double x = -kFarthest; x < kFarthest; x += kWidth) {
    const double until = std::pow(below(x + kWidth), count);
    sum += (x + kWidth / 2) * (until - before);
    before = until;
  }
  return sum;
}

}  // namespace weir
