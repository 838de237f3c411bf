#include "stages/train/plateau.h"

namespace weir {

bool IsBetter(double value, double best, bool higher_is_better, double min_delta) {
  return higher_is_better ? value - min_delta > best : value + min_delta < best;
}

bool HasStalled(std::span<const double> figures, bool higher_is_better,
                const EarlyStopping& stopping) {
  if (figures.empty()) return false;
  double best = figures.front();
  int waited = 0;
  for (const double figure : figures.subspan(1)) {
    ++waited;
    if (!IsBetter(figure, best, higher_is_better, stopping.min_delta)) continue;
    best = figure;
    waited = 0;
  }
  return waited >= stopping.patience;
}

}  // namespace weir
