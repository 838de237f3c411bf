// The section `training:` of a configuration: how the model learns, in one phase or in several.
//
// Immutable once read, put among the resources by the command and read by the stage `train`. The
// functions are pure and may be called from any thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/config/params.h"
#include "stages/model/frozen_config.h"
#include "stages/train/class_weight.h"
#include "stages/train/losses/cross_entropy.h"
#include "stages/train/losses/loss.h"
#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/metric.h"
#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/schedules/constant_schedule.h"
#include "stages/train/schedules/schedule.h"
#include "stages/train/weight_average.h"

namespace weir {

// When a phase ends before its last epoch: Keras' EarlyStopping.
struct EarlyStopping {
  int patience = 0;
  double min_delta = 0;

  static auto Fields() {
    return std::tuple{
        Field{"patience", &EarlyStopping::patience,
              "Epochs in a row without a better figure, after which the phase ends.", AtLeast{1},
              Required{}},
        Field{"min_delta", &EarlyStopping::min_delta,
              "By how much a figure must be better than the best to count.", AtLeast{0}}};
  }
};

// What each phase may set for itself.
struct LearningConfig {
  int epochs = 10;
  std::shared_ptr<const Optimizer> optimizer = std::make_shared<const Adam>(Adam::Params{});
  std::shared_ptr<const Schedule> schedule =
      std::make_shared<const ConstantSchedule>(ConstantSchedule::Params{});
  std::shared_ptr<const Loss> loss = std::make_shared<const CrossEntropy>(CrossEntropy::Params{});
  ClassWeight class_weight;
  Auto<int> micro_batch;  // auto: a function of the model alone; the largest on a GPU
  std::optional<EarlyStopping> early_stopping;
  std::optional<Ema> ema;
  std::optional<Swa> swa;

  static auto Fields() {
    return std::tuple{
        Field{"epochs", &LearningConfig::epochs, "How often all of the data is learnt from.",
              AtLeast{1},
              ElsewhereCalled{"epoch", "num_epochs", "n_epochs", "nb_epoch", "max_epochs",
                              "num_train_epochs", "train_epochs"}},
        Field{"optimizer", &LearningConfig::optimizer, "How a gradient becomes a step.",
              ElsewhereCalled{"opt", "optim", "optimiser"}},
        Field{"schedule", &LearningConfig::schedule,
              "What becomes of the learning rate from step to step.",
              ElsewhereCalled{"scheduler", "sched", "lr_schedule", "lr_scheduler",
                              "lr_scheduler_type", "learning_rate_schedule",
                              "learning_rate_scheduler"}},
        Field{"loss", &LearningConfig::loss, "What is made small.",
              ElsewhereCalled{"criterion", "loss_fn", "loss_function", "objective"}},
        Field{"class_weight", &LearningConfig::class_weight,
              "How much the pictures of each class count in training: {ants: 2} twice, and 1 for "
              "the others; balanced: each class as much as any other.",
              ElsewhereCalled{"class_weights"}},
        Field{"micro_batch", &LearningConfig::micro_batch,
              "Samples whose gradients are computed at once; a batch is learnt from whole. auto "
              "follows the model alone, never the memory there is; on a GPU it is the largest that "
              "fits.",
              AtLeast{1}, ElsewhereCalled{"micro_batch_size", "microbatch_size"}},
        Field{"early_stopping", &LearningConfig::early_stopping,
              "Ends a phase when what `monitor` names gets no better any more; by default never."},
        Field{"ema", &LearningConfig::ema,
              "An exponential moving average of the weights, validated and kept in their place; by "
              "default none.",
              ElsewhereCalled{"model_ema"}},
        Field{"swa", &LearningConfig::swa,
              "The mean of the weights at the ends of epochs, validated and kept in their "
              "place; by default none."}};
  }
  void Check(const Blame& blame) const {
    if (ema && swa)
      blame("swa",
            "`swa` and `ema` both average the weights: leave one out, or set it to ~ in "
            "a phase that takes it from `training`");
  }

  // What the average of the weights is called: "ema", "swa", or empty where there is none.
  std::string_view average() const { return ema ? "ema" : swa ? "swa" : ""; }
};

enum class OptimizerState { kReset, kKeep };

template <>
struct EnumNames<OptimizerState> {
  static constexpr std::array kNames{std::pair{"reset", OptimizerState::kReset},
                                     std::pair{"keep", OptimizerState::kKeep}};
};

// A part of a training, at whose beginning what learns and how may change.
struct PhaseConfig : LearningConfig {
  std::string name;
  std::optional<FrozenConfig> frozen;       // empty: as in `model`
  std::optional<BatchNormMode> batch_norm;  // empty: as in `model.backbone`
  OptimizerState optimizer_state = OptimizerState::kReset;

  static auto Fields() {
    return std::tuple_cat(
        std::tuple{
            Field{"name", &PhaseConfig::name, "What it is called.", Required{}},
            Field{"frozen", &PhaseConfig::frozen,
                  "The layers of the backbone that keep their weights; by default those of "
                  "`model.frozen`.",
                  ElsewhereCalled{"freeze", "freeze_backbone", "freeze_layers", "frozen_layers"}},
            Field{"batch_norm", &PhaseConfig::batch_norm,
                  "What the batch norms of layers that learn use; by default as "
                  "`model.backbone.batch_norm`."},
            Field{
                "optimizer_state", &PhaseConfig::optimizer_state,
                "reset: the optimizer begins anew, as a Keras model that is compiled again. keep: "
                "what it kept of a parameter goes on."}},
        LearningConfig::Fields());
  }
};

enum class KeptModel { kBest, kLast };

template <>
struct EnumNames<KeptModel> {
  static constexpr std::array kNames{std::pair{"best", KeptModel::kBest},
                                     std::pair{"last", KeptModel::kLast}};
};

struct TrainingConfig : LearningConfig {
  static constexpr std::string_view kResource = "training";
  ListOfMetrics metrics = {std::make_shared<const Accuracy>()};  // accuracy is always the first
  Auto<KeptModel> keep;  // auto: the best where there is validation
  std::string monitor{Metrics::kAccuracy};
  Duration checkpoint_interval{60};
  std::vector<PhaseConfig> phases;  // each with everything that it does not leave to `training`

  static auto Fields() {
    return std::tuple_cat(
        LearningConfig::Fields(),
        std::tuple{
            Field{"metrics", &TrainingConfig::metrics,
                  "What is reported beside the loss; accuracy always is.",
                  ElsewhereCalled{"metric", "eval_metric", "eval_metrics"}},
            Field{"keep", &TrainingConfig::keep,
                  "Which epoch's model is kept: that of the best validation, of equals the "
                  "earliest, or the last one. auto is best where there is validation."},
            Field{"monitor", &TrainingConfig::monitor,
                  "The figure of validation that says which model is best, and when to stop: loss, "
                  "or one of `metrics`.",
                  ElsewhereCalled{"metric_for_best_model"}},
            Field{"checkpoint_interval", &TrainingConfig::checkpoint_interval,
                  "How often it is saved, beside the end of every epoch.",
                  WasCalled{"checkpoint_seconds"}},
            Field{"phases", &TrainingConfig::phases,
                  "Phases that follow one another; what one leaves out is as it is here, in "
                  "`training`."}});
  }

  bool is_higher_better() const;  // whether more of what is monitored is better
  // Whether more than the plain course of epochs depends on validation; `phases` are not looked at.
  bool needs_validation() const;
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
