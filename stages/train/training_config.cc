#include "stages/train/training_config.h"

#include <algorithm>

#include "framework/config/parts.h"

namespace weir {

TrainingConfig ParseTraining(const YamlNode& node, Problems& problems) {
  auto config = Parse<TrainingConfig>(node, problems);
  config.metrics = {"accuracy"};
  return config;
}

YamlNode ToYaml(const TrainingConfig& config) { return detail::WriteStruct(config); }

YamlNode TrainingSchema() { return SchemaOf<TrainingConfig>(); }

std::vector<FieldDoc> DescribeTraining() {
  std::vector<FieldDoc> docs = Describe<TrainingConfig>();
  std::find_if(docs.begin(), docs.end(), [](const FieldDoc& doc) {
    return doc.name == "optimizer";
  })->nested = DescribeParts<Optimizer>();
  return docs;
}

}  // namespace weir
