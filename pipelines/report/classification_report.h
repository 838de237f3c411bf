// What `weir evaluate` prints of a pass: how well, and how sure that is, class by class, and who is
// taken for whom.
//
// It is written a class at a time: with 65,536 classes nothing is held beside one line. One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "stages/learner.h"
#include "stages/train/confusion_counts.h"
#include "stages/train/metrics/bootstrap.h"

namespace weir {

struct ClassificationReport {
  const Metrics& metrics;
  const std::vector<std::string>& classes;          // in the order of the labels
  ConfusionCounts& confusion;                       // filled by the same pass
  const Bootstrap* bootstrap = nullptr;             // likewise; null: no intervals are wanted
  std::uint64_t dropped = 0;                        // pictures that could not be used
  std::map<std::string, std::uint64_t> left_out{};  // files that are no pictures, by kind
};

// A table: a line a class with its pictures, precision, recall, F1, and what it was taken for, and
// the means over the classes. Behind a metric is the interval that 95 % of the resamples lie in:
// "accuracy 0.938 (0.854 to 1.000)".
void PrintTable(const ClassificationReport& report, std::FILE* out);

// {"accuracy", "classes", "confusion", "dropped", "images", "left_out", "loss", "macro": {"f1",
// "precision", "recall"}, "metrics": {NAME: {"value", "low", "high"}}, "per_class": {NAME: {"f1",
// "images", "precision", "recall", "taken_for": {NAME: pictures}}}, "weighted": as "macro"}.
// `confusion` is a row of counts for each class and null above 1,000 classes, where "taken_for"
// says the same in less. What `training.metrics` of the run names beside accuracy stands there
// under its name too. What cannot be computed is null; without intervals there is no "low" and no
// "high".
void PrintJson(const ClassificationReport& report, std::FILE* out);

}  // namespace weir
