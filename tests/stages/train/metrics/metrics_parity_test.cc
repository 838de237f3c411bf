// Our metrics against what scikit-learn makes of the same predictions (metrics_reference.py), and
// our intervals against scipy's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/bootstrap.h"
#include "stages/train/metrics/expected_calibration_error.h"
#include "stages/train/metrics/metric.h"
#include "stages/train/metrics/predictions.h"
#include "stages/train/metrics/top_k.h"
#include "tests/support/listed_parts.h"
#include "tests/support/reference_tensors.h"

namespace weir {
namespace {

const ReferenceTensors& Reference() {
  static const ReferenceTensors file("tests/stages/train/metrics/metrics_reference.safetensors");
  return file;
}

// Numbers that were float64 there.
std::vector<double> Doubles(const std::string& name) {
  const auto values = Reference().Values<float>(name);
  const auto rest = Reference().Values<float>(name + "/rest");
  std::vector<double> all(values.begin(), values.end());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] += rest[i];
  return all;
}

struct Case {
  explicit Case(const std::string& name)
      : logits(Reference().Values<float>(name + "/logits")),
        labels(Reference().Values<float>(name + "/labels")),
        classes(static_cast<int>(Reference().Shape(name + "/logits")[1])) {}

  std::span<const float> LogitsOf(std::size_t picture) const {
    return std::span(logits).subspan(picture * classes, classes);
  }

  Predictions Passed(const ListOfMetrics& metrics) const {
    const auto of_picture = OfSort<PictureMetric>(metrics);
    Predictions predictions({.classes = classes,
                             .pictures = labels.size(),
                             .has_rankings = true,
                             .numbers = static_cast<int>(of_picture.size())});
    predictions.Open();
    predictions.Begin();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const int label = static_cast<int>(labels[i]);
      std::vector<float> numbers;
      for (const auto& metric : of_picture) {
        numbers.push_back(
            static_cast<float>(metric->Of(LogitsOf(i), {.label = label, .path = ""})));
      }
      predictions.Add(label, LogitsOf(i), numbers);
    }
    predictions.Finish();
    return predictions;
  }

  std::vector<float> logits, labels;
  int classes;
};

double Mean(std::span<const float> numbers) {
  double sum = 0;
  for (const float number : numbers) sum += static_cast<double>(number);
  return sum / static_cast<double>(numbers.size());
}

ListOfMetrics AllMetrics() {
  ListOfMetrics metrics;
  for (const Part<Metric>& part : Metric::All()) {
    if (part.names.front() != "top_k") metrics.push_back(MadeOfDefaults(part));
  }
  return metrics;
}

TEST(MetricsParity, AreScikitLearns) {
  std::map<std::string, double> largest;
  const auto compare = [&](const std::string& name, const std::string& metric, double ours) {
    const double difference = std::abs(ours - Doubles(name + "/" + metric).at(0));
    // Sums of a few hundred float64 in another order; confidences are rounded to float32 in both.
    EXPECT_LE(difference, 1e-7) << name << " " << metric;
    largest[metric] = std::max(largest[metric], difference);
  };
  for (const std::string name : {"binary", "three", "ties", "binary ties", "absent"}) {
    const Case pictures(name);
    ListOfMetrics metrics = AllMetrics();
    for (int k = 1; k <= std::min(3, pictures.classes - 1) && pictures.classes > 2; ++k) {
      metrics.push_back(std::make_shared<const TopK>(TopK::Params{k}));
    }
    const Predictions predictions = pictures.Passed(metrics);
    int number = 0;
    for (const auto& metric : metrics) {
      const auto* const of_pass = dynamic_cast<const PassMetric*>(metric.get());
      const auto ours = of_pass ? of_pass->Of(predictions.view())
                                : std::optional(Mean(predictions.numbers(number++)));
      ASSERT_TRUE(ours.has_value()) << metric->name();
      compare(name, std::string(metric->name()), *ours);
    }
    compare(name, "expected_calibration_error 4",
            *ExpectedCalibrationError({.bins = 4}).Of(predictions.view()));
  }
  for (const auto& [metric, difference] : largest) {
    std::printf("%s: within %.1e of %s\n", metric.c_str(), difference,
                Reference().Metadata("versions").c_str());
  }
}

// Two draws of thousands differ by what the ends of such intervals vary by: less than a tenth of
// their width.
TEST(MetricsParity, IntervalsAreScipys) {
  const ListOfMetrics metrics = AllMetrics();
  const Predictions predictions = Case("binary").Passed(metrics);
  const auto intervals = BootstrapIntervals(predictions, metrics, 3000, 2);
  for (const std::string metric : {"accuracy", "macro_f1", "roc_auc"}) {
    const std::vector<double> scipys = Doubles("binary/" + metric + "/interval");
    const Interval& ours = intervals.at(metric);
    const double difference =
        std::max(std::abs(ours.low - scipys[0]), std::abs(ours.high - scipys[1]));
    EXPECT_LE(difference, (scipys[1] - scipys[0]) / 10) << metric;
    std::printf("%s: %.4f to %.4f, scipy %.4f to %.4f: within %.4f\n", metric.c_str(), ours.low,
                ours.high, scipys[0], scipys[1], difference);
  }
}

TEST(BootstrapIntervals, AreTheSameForAnyNumberOfThreads) {
  const ListOfMetrics metrics = AllMetrics();
  const Predictions predictions = Case("ties").Passed(metrics);
  const auto one = BootstrapIntervals(predictions, metrics, 101, 1);
  const auto three = BootstrapIntervals(predictions, metrics, 101, 3);
  ASSERT_EQ(one.size(), metrics.size());
  for (const auto& [metric, interval] : one) {
    EXPECT_EQ(interval.low, three.at(metric).low) << metric;
    EXPECT_EQ(interval.high, three.at(metric).high) << metric;
    EXPECT_LT(interval.low, interval.high) << metric;
  }
}

// numpy.percentile([3, 1, 2, 10], [0, 2.5, 50, 97.5, 100])
TEST(Percentile, IsNumpys) {
  std::vector<double> values = {3, 1, 2, 10};
  EXPECT_EQ(Percentile(values, 0), 1);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.025), 1.075);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.975), 9.475);
  EXPECT_EQ(Percentile(values, 1), 10);
}

}  // namespace
}  // namespace weir
