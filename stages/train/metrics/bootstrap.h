// How sure a metric is: the interval that 95 of 100 resamples of the same pictures fall into
// (Efron, 1979: the bootstrap, percentile interval). A resample draws as many pictures as there
// are, each by chance and with return; it is had as how often each picture was drawn, so that
// nothing is copied and probabilities are ranked once. Resample r is the same however many threads
// there are, and each time that the same number of pictures is measured.
//
// Pure functions; one thread, which others help.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "stages/train/metrics/metric.h"
#include "stages/train/metrics/predictions.h"

namespace weir {

struct Interval {
  double low = 0;
  double high = 0;
};

// Put among the resources by whoever wants intervals; the stage `train` pays for them and fills
// them in at the end of the passes in which it counts confusions.
struct Bootstrap {
  static constexpr std::string_view kResource = "bootstrap";
  int resamples = 1000;
  // By the metric's name; without those that can be computed of no resample.
  std::map<std::string, Interval, std::less<>> intervals{};
};

// What working them out takes, of so many metrics and in so many threads at once.
std::size_t BootstrapBytes(int resamples, int metrics, int threads,
                           const Predictions::Options& kept);

// The interval of each of the metrics; the predictions have the numbers of its PictureMetrics, in
// its order. A resample of which a metric cannot be computed does not count for it.
std::map<std::string, Interval, std::less<>> BootstrapIntervals(const Predictions& predictions,
                                                                const ListOfMetrics& metrics,
                                                                int resamples, int threads);

// The value below which that part of the others are, between two of them on a straight line:
// numpy.percentile. Sorts the values, of which there is one at least.
double Percentile(std::span<double> values, double part);

}  // namespace weir
