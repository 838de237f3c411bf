#include "pipelines/recipe/model_use.h"

#include <algorithm>
#include <vector>

#include "stages/features/features.h"
#include "stages/train/train.h"

namespace weir {
namespace {

// The one stage that `stage` takes from; null where it begins the flow, or takes from several.
const StageConfig* Before(const std::vector<StageConfig>& pipeline, const StageConfig& stage) {
  if (&stage == &pipeline.front() || stage.from.size() > 1) return nullptr;
  if (stage.from.empty()) return &stage - 1;
  const auto found = std::ranges::find(pipeline, stage.from.front(), &StageConfig::name);
  return found == pipeline.end() ? nullptr : &*found;
}

// The `features` that `train` takes from; null where it takes from another stage.
const StageConfig* FeaturesAtEnd(const std::vector<StageConfig>& pipeline) {
  const auto train = std::ranges::find(pipeline, Train::kName, &StageConfig::stage);
  if (train == pipeline.end()) return nullptr;
  const StageConfig* const before = Before(pipeline, *train);
  return before && before->stage == Features::kName ? before : nullptr;
}

}  // namespace

std::optional<Precision> PrecisionAtEnd(const Recipe& recipe) {
  const StageConfig* const features = FeaturesAtEnd(recipe.config.pipeline);
  if (!features) return std::nullopt;
  return Parse<Features::Params>(features->params).precision;
}

ModelUse UseOf(const Recipe& recipe) {
  ModelUse use;
  const std::vector<StageConfig>& pipeline = recipe.config.pipeline;
  const StageConfig* stage = FeaturesAtEnd(pipeline);
  if (!stage) return use;
  use.precision = *PrecisionAtEnd(recipe);
  std::vector<YamlNode> pictures;
  while ((stage = Before(pipeline, *stage)) && stage != &pipeline.front()) {
    const StageSpec& spec = *recipe.stages->registry().Find(stage->stage);
    const bool is_of_pictures =
        spec.ports.in != Batch::kPortType && spec.ports.out != Batch::kPortType;
    if (is_of_pictures) {
      pictures.push_back(YamlNode::Map({{spec.name, spec.resolve(stage->params)}}));
    } else if (!spec.plugin.empty()) {
      return use;
    }
  }
  if (!stage) return use;
  std::ranges::reverse(pictures);
  use.pictures = YamlNode::List(pictures);
  return use;
}

}  // namespace weir
