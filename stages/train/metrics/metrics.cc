// The list of metrics: what `training.metrics` may name.
#include <array>

#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/metric.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kMetrics{
    kAccuracy,
};
// clang-format on

}  // namespace

std::span<const Metric> Metric::All() { return kMetrics; }

}  // namespace weir
