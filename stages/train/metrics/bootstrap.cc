#include "stages/train/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "framework/flow/parallel.h"
#include "framework/random.h"

namespace weir {
namespace {

constexpr double kOutside = 0.025;  // on either side of the interval
constexpr std::uint64_t kSeed = 0;  // the same for all runs, so that two can be compared
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// How often a resample has each picture, and what follows from that.
class Resample {
 public:
  explicit Resample(const PredictionView& whole)
      : view_(whole), times_(whole.all.size()), tallies_(whole.classes()) {
    view_.times = times_;
    view_.tallies = tallies_;
  }

  const PredictionView& Draw(int index) {
    std::fill(times_.begin(), times_.end(), 0);
    CounterRandom random(kSeed, "bootstrap", 0, static_cast<std::uint64_t>(index));
    for (std::size_t i = 0; i < times_.size(); ++i) ++times_[random.Below(times_.size())];
    std::fill(tallies_.begin(), tallies_.end(), ClassTally());
    for (std::size_t i = 0; i < times_.size(); ++i) {
      AddPictures(tallies_, view_.all[i].label, view_.all[i].predicted, times_[i]);
    }
    return view_;
  }

 private:
  PredictionView view_;
  std::vector<std::uint32_t> times_;
  std::vector<ClassTally> tallies_;
};

double MeanOf(std::span<const float> numbers, const PredictionView& view) {
  double sum = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    sum += static_cast<double>(numbers[i]) * view.times[i];
  }
  return sum / static_cast<double>(numbers.size());
}

}  // namespace

std::size_t BootstrapBytes(int resamples, int metrics, int threads,
                           const Predictions::Options& kept) {
  const std::size_t each =
      kept.pictures * sizeof(std::uint32_t) + kept.classes * sizeof(ClassTally);
  return threads * each + sizeof(double) * resamples * metrics;
}

double Percentile(std::span<double> values, double part) {
  std::sort(values.begin(), values.end());
  const double place = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

std::map<std::string, Interval, std::less<>> BootstrapIntervals(const Predictions& predictions,
                                                                const ListOfMetrics& metrics,
                                                                int resamples, int threads) {
  const PredictionView whole = predictions.view();
  const std::size_t count = resamples;
  std::vector<double> values(metrics.size() * count);  // [metrics, resamples]
  ParallelFor(threads, [&](int thread) {
    Resample resample(whole);
    for (int r = thread; r < resamples; r += threads) {
      const PredictionView& view = resample.Draw(r);
      int number = 0;
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        const auto* const of_pass = dynamic_cast<const PassMetric*>(metrics[m].get());
        values[m * count + r] = of_pass ? of_pass->Of(view).value_or(kNone)
                                        : MeanOf(predictions.numbers(number++), view);
      }
    }
  });
  std::map<std::string, Interval, std::less<>> intervals;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const std::span<double> all = std::span(values).subspan(m * count, count);
    const auto end =
        std::partition(all.begin(), all.end(), [](double value) { return !std::isnan(value); });
    const auto known = all.first(end - all.begin());
    if (known.empty()) continue;
    const double low = Percentile(known, kOutside);
    intervals[std::string(metrics[m]->name())] = {low, Percentile(known, 1 - kOutside)};
  }
  return intervals;
}

}  // namespace weir
