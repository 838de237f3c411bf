// The section `training:` of a configuration: how the model learns.
//
// Immutable once read, put among the resources by the command and read by the stage `train`. The
// functions are pure and may be called from any thread.
#pragma once

#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "stages/train/class_weight.h"
#include "stages/train/losses/cross_entropy.h"
#include "stages/train/losses/loss.h"
#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/metric.h"
#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/schedules.h"

namespace weir {

struct TrainingConfig {
  static constexpr std::string_view kResource = "training";

  int epochs = 10;
  std::shared_ptr<const Optimizer> optimizer = std::make_shared<const Adam>(Adam::Params{});
  Schedule schedule = Schedule::All().front();
  std::shared_ptr<const Loss> loss = std::make_shared<const CrossEntropy>(CrossEntropy::Params{});
  ClassWeight class_weight;
  ListOfMetrics metrics = {std::make_shared<const Accuracy>()};  // accuracy is always the first
  Auto<int> micro_batch;  // auto: a function of the model alone; the largest on a GPU
  Duration checkpoint_interval{60};

  static auto Fields() {
    return std::tuple{
        Field{"epochs", &TrainingConfig::epochs, "How often all of the data is learnt from.",
              AtLeast{1}},
        Field{"optimizer", &TrainingConfig::optimizer, "How a gradient becomes a step."},
        Field{"schedule", &TrainingConfig::schedule, Schedule::Doc()},
        Field{"loss", &TrainingConfig::loss, "What is made small."},
        Field{"class_weight", &TrainingConfig::class_weight,
              "How much the pictures of each class count in training: {ants: 2} twice, and 1 for "
              "the others; balanced: each class as much as any other."},
        Field{"metrics", &TrainingConfig::metrics,
              "What is reported beside the loss; accuracy always is."},
        Field{"micro_batch", &TrainingConfig::micro_batch,
              "Samples whose gradients are computed at once; a batch is learnt from whole. auto "
              "follows the model alone, never the memory there is; on a GPU it is the largest that "
              "fits.",
              AtLeast{1}},
        Field{"checkpoint_interval", &TrainingConfig::checkpoint_interval,
              "How often it is saved, beside the end of every epoch.",
              WasCalled{"checkpoint_seconds"}}};
  }

  double LearningRate(int epoch) const {  // `epoch` counts from 0
    return schedule.rate(optimizer->learning_rate(), epoch, epochs);
  }
};

// Reads the section (null: every default). What is wrong goes to `problems`, with its place.
TrainingConfig ParseTraining(const YamlNode& node, Problems& problems);

// Every value as resolved, so that it parses to the same again.
YamlNode ToYaml(const TrainingConfig& config);

// The keys with their documentation, defaults and ranges; an optimizer is a row nested in
// `optimizer`, a loss one in `loss`.
std::vector<FieldDoc> DescribeTraining();

// What it may be, as JSON Schema (framework/config/schema.h).
YamlNode TrainingSchema();

}  // namespace weir
