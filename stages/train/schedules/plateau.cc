#include "stages/train/schedules/plateau.h"

namespace weir {

bool IsBetter(double value, double best, bool higher_is_better, double min_delta) {
  return higher_is_better ? value - min_delta > best : value + min_delta < best;
}

bool HasStalled(std::span<const double> figures, bool higher_is_better, int patience,
                double min_delta) {
  if (figures.empty()) return false;
  double best = figures.front();
  int waited = 0;
  for (const double figure : figures.subspan(1)) {
    ++waited;
    if (!IsBetter(figure, best, higher_is_better, min_delta)) continue;
    best = figure;
    waited = 0;
  }
  return waited >= patience;
}

}  // namespace weir
