#include "stages/train/metrics/roc_auc.h"

namespace weir {

std::optional<double> RocAuc::Of(const PredictionView& view) const {
  double sum = 0;
  int classes = 0;
  ForEachRanking(view, [&](int, auto for_each_group) {
    double of_class = 0, others = 0, below = 0;  // `below`: pairs whose other is ranked lower
    for_each_group([&](const RankedGroup& group) {
      const auto hits = static_cast<double>(group.of_class);
      const auto misses = static_cast<double>(group.others);
      below += misses * (of_class + hits / 2);
      of_class += hits;
      others += misses;
    });
    sum += below / (of_class * others);
    ++classes;
  });
  return classes > 0 ? std::optional(sum / classes) : std::nullopt;
}

}  // namespace weir
