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
#include "stages/train/losses/cross_entropy.h"
#include "stages/train/losses/loss.h"
#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/metric.h"
#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/schedules/constant_schedule.h"
#include "stages/train/schedules/schedule.h"

namespace weir {

struct TrainingConfig {
  static constexpr std::string_view kResource = "training";

  int epochs = 10;
  std::shared_ptr<const Optimizer> optimizer = std::make_shared<const Adam>(Adam::Params{});
  std::shared_ptr<const Schedule> schedule =
      std::make_shared<const ConstantSchedule>(ConstantSchedule::Params{});
  std::shared_ptr<const Loss> loss = std::make_shared<const CrossEntropy>(CrossEntropy::Params{});
  std::vector<Metric> metrics = {kAccuracy};  // accuracy is always there, and first
  Auto<int> micro_batch;  // auto: a function of the model alone; the largest on a GPU
  Duration checkpoint_interval{60};

  static auto Fields() {
    return std::tuple{
        Field{"epochs", &TrainingConfig::epochs, "How often all of the data is learnt from.",
              AtLeast{1}},
        Field{"optimizer", &TrainingConfig::optimizer, "How a gradient becomes a step."},
        Field{"schedule", &TrainingConfig::schedule,
              "What becomes of the learning rate from step to step."},
        Field{"loss", &TrainingConfig::loss, "What is made small."},
        Field{"metrics", &TrainingConfig::metrics, Metric::Doc()},
        Field{"micro_batch", &TrainingConfig::micro_batch,
              "Samples whose gradients are computed at once; a batch is learnt from whole. auto "
              "follows the model alone, never the memory there is; on a GPU it is the largest that "
              "fits.",
              AtLeast{1}},
        Field{"checkpoint_interval", &TrainingConfig::checkpoint_interval,
              "How often it is saved, beside the end of every epoch.",
              WasCalled{"checkpoint_seconds"}}};
  }
};

// Reads the section (null: every default). What is wrong goes to `problems`, with its place.
TrainingConfig ParseTraining(const YamlNode& node, Problems& problems);

// Every value as resolved, so that it parses to the same again.
YamlNode ToYaml(const TrainingConfig& config);

// The keys with their documentation, defaults and ranges; an optimizer is a row nested in
// `optimizer`, a schedule one in `schedule`, a loss one in `loss`.
std::vector<FieldDoc> DescribeTraining();

// What it may be, as JSON Schema (framework/config/schema.h).
YamlNode TrainingSchema();

}  // namespace weir
