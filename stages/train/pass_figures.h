// What a pass over pictures that are measured gives beside the means of it: the metrics that are a
// function of all predictions, the confusions where they are asked for, and how sure the metrics
// are.
//
// The passes that are measured are those of one split: validation in a training, else the one in
// which confusions are counted. Of the others nothing is kept.
//
// Memory: held(), from Open() on. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/learner.h"
#include "stages/train/confusion_counts.h"
#include "stages/train/metrics/bootstrap.h"
#include "stages/train/metrics/metric.h"
#include "stages/train/metrics/predictions.h"

namespace weir {

class PassFigures {
 public:
  struct Options {
    int classes = 0;
    Split split = Split::kValidation;
    std::uint64_t pictures = 0;                  // of a pass over it, at most
    std::shared_ptr<ConfusionCounts> confusion;  // null: not asked for
    std::shared_ptr<Bootstrap> bootstrap;        // null: not asked for
    int threads = 1;
  };

  // Throws Error(kConfig) where a metric makes no sense with so many classes.
  PassFigures(const ListOfMetrics& metrics, const Options& options);

  std::vector<HeldPart> held() const;
  void Open();

  void Begin(const Pass& pass);
  // The label of the sample is below the classes, `logits` is [classes].
  void Add(const Sample& sample, std::span<const float> logits);
  // At the end of a pass that ran to its end: the metrics of it; of one that is not measured none.
  std::vector<Metrics::OfPass> End();

 private:
  bool keeps_predictions() const { return options_.bootstrap || !of_pass_.empty(); }

  ListOfMetrics metrics_;
  std::vector<std::shared_ptr<const PictureMetric>> of_picture_;
  std::vector<std::shared_ptr<const PassMetric>> of_pass_;
  Options options_;
  Predictions::Options kept_;
  Predictions predictions_;
  std::vector<float> numbers_;  // of the picture that is added
  bool is_measured_ = false;    // the pass in progress
};

}  // namespace weir
