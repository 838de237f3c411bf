#include "stages/train/training_config.h"

#include <memory>
#include <utility>

#include "framework/config/parts.h"

namespace weir {

TrainingConfig ParseTraining(const YamlNode& node, Problems& problems) {
  auto config = Parse<TrainingConfig>(node, problems);
  const ListOfMetrics named = std::exchange(config.metrics, {std::make_shared<const Accuracy>()});
  for (const auto& metric : named) {
    if (!FindMetric(metric->name(), config.metrics)) config.metrics.push_back(metric);
  }
  return config;
}

YamlNode ToYaml(const TrainingConfig& config) { return detail::WriteStruct(config); }

YamlNode TrainingSchema() { return SchemaOf<TrainingConfig>(); }

std::vector<FieldDoc> DescribeTraining() { return Describe<TrainingConfig>(); }

}  // namespace weir
