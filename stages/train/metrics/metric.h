// Metrics: what is reported beside the loss. Each is a class in a file of this folder, which a
// family of several may share, and a row of the list in metric.cc. There are two sorts:
//
//   PictureMetric  a number of each picture, of which the mean over a pass is reported: in train
//                  passes too, and it goes on in the middle of an epoch
//   PassMetric     a function of all predictions of a pass, reported at its end: of validation and
//                  test passes alone
//
// Immutable; any thread. Holds nothing but its parameters.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "framework/config/parts.h"
#include "stages/payloads.h"
#include "stages/train/metrics/predictions.h"

namespace weir {

class Metric {
 public:
  static constexpr std::string_view kWord = "metric", kOne = "a metric", kMany = "metrics";
  static std::span<const Part<Metric>> All();

  virtual ~Metric() = default;

  virtual YamlNode ToYaml() const = 0;

  // What it is reported as: "accuracy", "top_5".
  virtual std::string_view name() const = 0;
  virtual bool is_higher_better() const { return true; }

  // Throws Error(kConfig) where it makes no sense with so many classes.
  virtual void CheckClasses(int /*classes*/) const {}
};

using ListOfMetrics = std::vector<std::shared_ptr<const Metric>>;

class PictureMetric : public Metric {
 public:
  // The number of one picture, whose logits are [classes]; its label is below `classes`. Of a
  // mixture the label is the class that has the most of it.
  virtual double Of(std::span<const float> logits, const Sample& sample) const = 0;
};

class PassMetric : public Metric {
 public:
  // Whether the probabilities are ranked for it, which take 4 bytes a picture and class.
  virtual bool needs_rankings() const { return false; }

  // Empty where it cannot be computed; else finite. There is one picture at least.
  virtual std::optional<double> Of(const PredictionView& view) const = 0;

  // What it cannot be computed without, to end a sentence: "pictures of two classes".
  virtual std::string_view needs() const { return "a picture"; }
};

// Those of the list that are of that sort, in its order.
template <class Sort>
std::vector<std::shared_ptr<const Sort>> OfSort(const ListOfMetrics& metrics) {
  std::vector<std::shared_ptr<const Sort>> found;
  for (const auto& metric : metrics) {
    if (auto one = std::dynamic_pointer_cast<const Sort>(metric)) found.push_back(std::move(one));
  }
  return found;
}

// The one that is reported by that name; null where there is none.
const Metric* FindMetric(std::string_view name, const ListOfMetrics& metrics);

// Whether more of it is better: of "loss", or of a metric of the list by the name that it is
// reported as; empty where there is none of that name.
std::optional<bool> HigherIsBetter(std::string_view name, const ListOfMetrics& metrics);

}  // namespace weir
