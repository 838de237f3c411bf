#include "stages/train/training_config.h"

#include <algorithm>
#include <utility>

#include "framework/config/parts.h"

namespace weir {

TrainingConfig ParseTraining(const YamlNode& node, Problems& problems) {
  auto config = Parse<TrainingConfig>(node, problems);
  const std::vector<Metric> named = std::exchange(config.metrics, {kAccuracy});
  for (const Metric& metric : named) {
    const bool is_there = std::any_of(config.metrics.begin(), config.metrics.end(),
                                      [&](const Metric& each) { return each.name == metric.name; });
    if (!is_there) config.metrics.push_back(metric);
  }
  return config;
}

YamlNode ToYaml(const TrainingConfig& config) { return detail::WriteStruct(config); }

YamlNode TrainingSchema() { return SchemaOf<TrainingConfig>(); }

std::vector<FieldDoc> DescribeTraining() { return Describe<TrainingConfig>(); }

}  // namespace weir
