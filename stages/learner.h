// What the stage `train` shares with the command that runs the passes: how far it is, how well it
// does, and its state to save and restore.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/payloads.h"

namespace weir {

// How often a run learns from all of the data; put among the resources by the command.
struct Epochs {
  static constexpr std::string_view kResource = "epochs";
  int count = 1;
};

// The figures of one pass, so far.
struct Metrics {
  // Accuracy is always among the means: a run's best is told by it.
  static constexpr std::string_view kAccuracy = "accuracy";

  static constexpr std::string_view kLoss = "loss";

  // The mean of one of the metrics that `training.metrics` names (stages/train/metrics/metric.h).
  struct Mean {
    std::string name;
    double sum = 0;
    std::uint64_t images = 0;  // fewer than those of the pass where it was named in its middle

    double value() const { return images ? sum / static_cast<double>(images) : 0; }
  };

  // One of them that is a function of all predictions of the pass.
  struct OfPass {
    std::string name;
    std::optional<double> value;  // empty where it cannot be computed; else finite
    std::string needs{};          // what it cannot be computed without: "pictures of two classes"
  };

  double loss_sum = 0;  // over images
  std::uint64_t images = 0;
  std::vector<Mean> means{};      // in the order in which they were first added to
  std::vector<OfPass> of_pass{};  // once a validation or test pass is over

  void Add(std::string_view name, double of_an_image) {
    auto mean = std::find_if(means.begin(), means.end(),
                             [name](const Mean& each) { return each.name == name; });
    if (mean == means.end()) mean = means.insert(mean, Mean{std::string(name)});
    mean->sum += of_an_image;
    ++mean->images;
  }

  double loss() const { return images ? loss_sum / images : 0; }
  double accuracy() const { return value(kAccuracy).value_or(0); }

  // "loss" or a metric, by its name; empty where there is none, or it cannot be computed.
  std::optional<double> value(std::string_view name) const {
    if (name == kLoss && images > 0) return loss();
    for (const Mean& mean : means) {
      if (mean.name == name && mean.images > 0) return mean.value();
    }
    for (const OfPass& each : of_pass) {
      if (each.name == name) return each.value;
    }
    return std::nullopt;
  }

  // Calls visit(name, value) for each metric: the means, then those of the whole pass.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const Mean& mean : means) visit(mean.name, std::optional(mean.value()));
    for (const OfPass& each : of_pass) visit(each.name, each.value);
  }
};

// Where training stands: enough, with the seed, to go on as if it had never stopped.
struct TrainingPosition {
  int epoch = 0;  // the one in progress, from 0
  // The place of the next batch's first sample in that epoch's order: 0 at its beginning; behind
  // the last batch as many as there are samples, or more.
  std::uint64_t next_sample = 0;
  std::uint64_t step = 0;  // optimizer steps taken
  // Those of the phase in progress, and those since the optimizer's state began from nothing.
  std::uint64_t phase_step = 0;
  std::uint64_t optimizer_step = 0;
  int phase_epoch = 0;      // epochs of the phase that are over
  int averaged_epochs = 0;  // epochs that the average of the weights is of, where it is of epochs
  // What was monitored in the validation of each epoch of this phase that is over; of very many the
  // last.
  std::vector<double> monitored{};
  // The optimizer_step behind which the optimizer's state of a parameter begins, for those that
  // began to learn in a later phase where the state went on.
  std::map<std::string, std::uint64_t> begun{};
  Metrics metrics{};  // the figures of the epoch in progress
};

// A tensor by name on the host, row-major; the values belong to the learner.
struct NamedTensor {
  std::string name;
  Shape shape;
  std::span<const float> values;
};

class Learner {
 public:
  static constexpr std::string_view kResource = "learner";
  virtual ~Learner() = default;

  // Any thread, any time: a copy of the figures of the pass in progress (or of the last).
  virtual Metrics metrics() const = 0;

  // Between passes, and in after_step.
  virtual TrainingPosition position() const = 0;
  // Between passes only: the next epoch begins, with next_sample 0 and no metrics. `monitored` is
  // what validation gave after this one, a finite number; empty where there is none.
  virtual void EndEpoch(std::optional<double> monitored) = 0;

  // Between the train pass of an epoch and its validation: an average of the weights that goes by
  // epochs takes it in, once however often it is called.
  virtual void AverageEpoch() = 0;
  // Whether there is an average of the weights by now.
  virtual bool has_average() const = 0;
  // Between passes only: the average takes the place of the weights, and they its; a second call
  // puts both back. Not to be learnt from or saved as a checkpoint in between.
  virtual void ExchangeAverage() = 0;

  // Everything that learnt and what froze, under torchvision's names ("features.0.0.weight", ...,
  // "head.1.weight"): a whole model. Calls `write` a tensor at a time: the backbone layer by layer,
  // then of the head what learns, then its running statistics.
  virtual void ForEachTensor(const std::function<void(const NamedTensor&)>& write) const = 0;

  // The state to go on from. Save is atomic: the file is whole or what it was before. `extra` is
  // kept with it as it is (what the command wants to remember) and given back by Restore. Throws
  // Error(kData) where the file cannot be written, or is not of this model.
  virtual void Save(const std::filesystem::path& file, const std::string& extra) const = 0;
  virtual std::string Restore(const std::filesystem::path& file) = 0;

  // Goes on with the training that Save left in `file` at the end of a phase, where other layers
  // may have learnt: takes over where it stands, and with `keeps_optimizer` what the optimizer
  // keeps of what learns now as then. Weights stay as they were opened. Throws Error(kData) where
  // the file is no checkpoint, or is of other pictures or batches.
  virtual void BeginPhase(const std::filesystem::path& file, bool keeps_optimizer) = 0;

  // Called in train passes after each step, in the thread that trains, and may Save: how the
  // command keeps its save interval. Set between passes.
  std::function<void()> after_step;

  // Called in predict and test passes for each sample in order with its class probabilities.
  std::function<void(const Sample&, std::span<const float>)> on_prediction;
};

}  // namespace weir
