#include "stages/train/metrics/average_precision.h"

namespace weir {

std::optional<double> AveragePrecision::Of(const PredictionView& view) const {
  double sum = 0;
  int classes = 0;
  ForEachRanking(view, [&](int label, auto for_each_group) {
    const auto pictures = static_cast<double>(view.tallies[label].pictures);
    double of_class = 0, all = 0;
    for_each_group([&](const RankedGroup& group) {
      const auto hits = static_cast<double>(group.of_class);
      of_class += hits;
      all += hits + static_cast<double>(group.others);
      if (hits > 0) sum += hits / pictures * (of_class / all);
    });
    ++classes;
  });
  return classes > 0 ? std::optional(sum / classes) : std::nullopt;
}

}  // namespace weir
