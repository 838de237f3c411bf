// How long a step of a data-parallel training takes with N ranks, on paper: what each rank does
// alone, what the ranks tell each other (stages/ranks/), and what they wait for each other.
//
//   const Step step = StepOf(job, machine, 64);
//   step.images_per_second;   // all 64 together
//
// Scaling is weak: each rank has `images_per_rank` of a batch, so that the batch grows with the
// ranks. Seconds, bytes and bytes a second throughout; what costs nothing is 0 seconds, and a
// bandwidth that is never the bound is infinite. Pure arithmetic; any thread.
#pragma once

#include <cstddef>
#include <limits>
#include <string_view>

namespace weir {

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

// What a training asks for.
struct ScalingJob {
  int images_per_rank = 32;
  double file_bytes = 0;     // a picture as it is stored
  double picture_bytes = 0;  // a picture as it goes to the device
  // Gradients that the ranks add up. 0: they tell each other the features, and each learns from the
  // whole batch, as weir does where all of the backbone is frozen (GathersFeatures).
  std::size_t summed_values = 0;
  double gathered_bytes = 0;  // what a rank tells of a picture: features, or logits

  bool gathers_features() const { return summed_values == 0; }
};

// What carries bytes from rank to rank. A node's ranks share its bandwidth.
struct ScalingNetwork {
  double bytes_per_second = kUnbounded;  // each direction of a node
  double latency_seconds = 0;  // from the call of an exchange until its first byte is there
  double message_seconds = 0;  // what each message of an exchange costs beside its bytes
};

// What a rank has. Times are of one picture where nothing else is said.
struct ScalingMachine {
  int ranks_per_node = 1;
  double storage_bytes_per_second = kUnbounded;  // a node's, shared by its ranks
  double decode_seconds = 0;                     // reading, decoding and augmenting
  double bus_bytes_per_second = kUnbounded;      // from the host to the device
  double frozen_seconds = 0;                     // forward through what is frozen
  double learning_seconds = 0;                   // forward and backward through what learns
  double optimizer_seconds = 0;                  // a step's, however large the batch
  bool has_device = false;  // pictures are decoded, and copied there, while it computes
  // The standard deviation of a rank's own time of a step, over its mean. All ranks wait for the
  // slowest.
  double noise = 0;
  ScalingNetwork network{};
};

// A step, and what it is made of. Parts that go on at the same time do not add up to `seconds`.
struct Step {
  double storage = 0, decode = 0, bus = 0;  // the input
  double frozen = 0, learning = 0;          // what is computed, `learning` with the optimizer
  double exchange = 0;                      // what the ranks tell each other
  double waiting = 0;                       // for the slowest
  double seconds = 0;
  double images_per_second = 0;  // all ranks together

  // The part that takes longest: "storage", "decode", "bus", "frozen part", "learning", "exchange"
  // or "waiting".
  std::string_view bound() const;
};

Step StepOf(const ScalingJob& job, const ScalingMachine& machine, int ranks);

// What a rank sends, and receives, while `values` floats are summed over ranks that have one sum
// each (SumOverRanks).
struct SumTraffic {
  double exchanges = 0;  // one after the other
  double messages = 0;
  double bytes = 0;
};
SumTraffic SumTrafficOf(std::size_t values, int ranks);

// SumOverRanks of `values` floats; 0 for one rank.
double SumSeconds(std::size_t values, const ScalingNetwork& network, int ranks, int ranks_per_node);

// AllGather, to which each rank gives `bytes`; 0 for one rank.
double GatherSeconds(double bytes, const ScalingNetwork& network, int ranks, int ranks_per_node);

// By how many standard deviations the largest of `count` independent normal values exceeds their
// mean, on average: 0 for one, 0.564 for two, 3.23 for 1,024. (David and Nagaraja, "Order
// Statistics", 2003, section 3.1: the integral of x d(F(x)^count).)
double ExpectedLargest(int count);

}  // namespace weir
