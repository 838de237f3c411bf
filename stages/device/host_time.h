// How long the processor would need for the network of a whole job: what `auto` weighs a GPU
// against. A rule of thumb, from the multiply-adds of the network and the number of pictures; what
// else the job does (reading, decoding) is the processor's in any case, and left out.
//
// Pure functions; any thread. A call makes a Model a phase, without weights, and keeps nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/flow/pass.h"
#include "framework/flow/stage.h"
#include "stages/model/model.h"
#include "stages/model/model_config.h"

namespace weir {

// Multiply-adds a second of one thread in float32. They were measured with MobileNetV2 at 224 x 224
// on an EPYC with AVX-512: the 300 million of a picture take 3.3 ms where all is frozen, and three
// times as many (kPassesOfLearning) 20 ms where all learns.
inline constexpr double kFrozenPerSecond = 91e9;
inline constexpr double kLearningPerSecond = 45e9;

// What learns is computed forward, then for the gradients of its weights, and of its input.
inline constexpr int kPassesOfLearning = 3;

// All that a job does with its network; provided by the command.
struct JobCourse {
  static constexpr std::string_view kResource = "job's course";
  struct Phase {
    FrozenConfig frozen;
    int epochs = 1;
  };
  // All phases of the training, those that are over among them; empty where nothing learns.
  std::vector<Phase> phases{};
  Split split = Split::kTrain;  // where nothing learns: what the one pass goes over
  bool keeps_features = true;   // where they are the same in each epoch
};

// Multiply-adds of one picture, forward: of the convolutions and dense layers, the head's included.
struct NetworkWork {
  double prefix = 0;  // the frozen part in front
  double behind = 0;  // all that follows it
};
NetworkWork WorkOf(const Model& model);

// Seconds for the job that the JobCourse, the ModelSource and the SampleCounts among the resources
// tell, shared out to all threads of all ranks; `context` is that of a stage at which batches of
// pictures [N, H, W, 3] arrive. Features that can be kept are taken to find room in memory, as
// those of a short job do. Nothing where one of these is not known. Throws Error(kConfig) where the
// declared model makes no sense.
std::optional<double> HostSeconds(const BuildContext& context);

// For people, without the digits that a rule of thumb does not have: "4 s", "12 min", "3 h".
std::string RoughText(double seconds);

}  // namespace weir
