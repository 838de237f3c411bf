#include "stages/train/training_config.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "framework/config/parts.h"
#include "framework/config/suggestion.h"
#include "framework/config/yaml_emitter.h"
#include "framework/text.h"

namespace weir {
namespace {

// Accuracy first, and each once; `written` is the list as it is written, where it is.
void AddAccuracy(const YamlNode& written, ListOfMetrics& metrics, Problems& problems) {
  const std::vector<YamlNode> items = written.items();
  const ListOfMetrics named = std::exchange(metrics, {std::make_shared<const Accuracy>()});
  for (std::size_t i = 0; i < named.size(); ++i) {
    const Metric* const before = FindMetric(named[i]->name(), metrics);
    if (!before) {
      metrics.push_back(named[i]);
    } else if (EmitFlow(before->ToYaml()) != EmitFlow(named[i]->ToYaml())) {
      problems.Add(items[i].position(),
                   InBackticks(before->name()) +
                       " is measured already, with other parameters: " + "leave one out");
    }
  }
}

// Where `key` is written in a map, or the map where it is not.
Position PlaceOf(const YamlNode& node, std::string_view key) {
  const auto value = node.Find(key);
  return value ? value->position() : node.position();
}

void CheckMonitor(const YamlNode& node, const TrainingConfig& config, Problems& problems) {
  std::vector<std::string> measured = {std::string(Metrics::kLoss)};
  if (HigherIsBetter(config.monitor, config.metrics)) return;
  for (const auto& metric : config.metrics) measured.emplace_back(metric->name());
  problems.Add(PlaceOf(node, "monitor"), "`monitor` takes loss or one of `metrics`, and " +
                                             InBackticks(config.monitor) + " is not measured" +
                                             DidYouMean(config.monitor, measured));
}

// `node` is what `config` was read from.
void CheckSwa(const YamlNode& node, const LearningConfig& config, Problems& problems) {
  if (!config.swa || config.swa->from <= config.epochs) return;
  problems.Add(PlaceOf(*node.Find("swa"), "from"),
               "`from` is epoch " + std::to_string(config.swa->from) + ", and there are " +
                   std::to_string(config.epochs));
}

// `phase` with what it leaves out, as `training` has it.
YamlNode Completed(const YamlNode& phase, const YamlNode& training) {
  YamlNode whole = phase;
  for (const FieldDoc& field : Describe<LearningConfig>()) {
    const auto common = training.Find(field.name);
    if (common && !phase.Find(field.name)) whole = whole.With({field.name, *common});
  }
  return whole;
}

void CheckPhases(const YamlNode& node, const std::vector<PhaseConfig>& phases, Problems& problems) {
  const std::vector<YamlNode> written = node.items();
  if (node.is_list() && written.empty()) {
    problems.Add(node.position(), "`phases` takes at least one phase; leave it out for one");
  }
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const std::string& name = phases[i].name;
    if (name.empty())
      problems.Add(PlaceOf(written[i], "name"), "`name` takes a text, not an empty one");
    const bool is_taken =
        std::any_of(phases.begin(), phases.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const PhaseConfig& other) { return other.name == name; });
    if (is_taken) {
      problems.Add(PlaceOf(written[i], "name"),
                   "there is a phase " + InBackticks(name) + " before it: give it another name");
    }
    const bool keeps_state = phases[i].optimizer_state == OptimizerState::kKeep;
    if (keeps_state && i == 0) {
      problems.Add(PlaceOf(written[i], "optimizer_state"),
                   "the first phase has no optimizer's state to keep");
    } else if (keeps_state &&
               phases[i].optimizer->declaration() != phases[i - 1].optimizer->declaration()) {
      problems.Add(PlaceOf(written[i], "optimizer_state"),
                   "`keep` needs the optimizer of the phase before, which is " +
                       phases[i - 1].optimizer->declaration() + ", and this is " +
                       phases[i].optimizer->declaration());
    }
  }
}

// A checkpoint counts no further, and sums of epochs are whole numbers.
void CheckEpochs(const YamlNode& node, const TrainingConfig& config, Problems& problems) {
  constexpr std::int64_t kMostEpochs = 1'000'000'000;
  std::int64_t epochs = config.phases.empty() ? config.epochs : 0;
  for (const PhaseConfig& phase : config.phases) epochs += phase.epochs;
  if (epochs <= kMostEpochs) return;
  problems.Add(PlaceOf(node, config.phases.empty() ? "epochs" : "phases"),
               "a training has at most " + std::to_string(kMostEpochs) +
                   " epochs in all, and this " + "has " + std::to_string(epochs));
}

}  // namespace

bool TrainingConfig::is_higher_better() const {
  return HigherIsBetter(monitor, metrics).value_or(true);
}

bool TrainingConfig::needs_validation() const {
  return early_stopping.has_value() || (!keep.is_auto() && keep.value() == KeptModel::kBest);
}

TrainingConfig ParseTraining(const YamlNode& node, Problems& problems) {
  const std::size_t before = problems.size();
  auto config = Parse<TrainingConfig>(node, problems);
  if (problems.size() != before) return config;
  AddAccuracy(node.Find("metrics").value_or(YamlNode()), config.metrics, problems);
  CheckMonitor(node, config, problems);
  const YamlNode phases = node.Find("phases").value_or(YamlNode());
  const std::vector<YamlNode> written = phases.items();
  for (std::size_t i = 0; i < config.phases.size(); ++i) {
    const YamlNode completed = Completed(written[i], node);
    config.phases[i] = Parse<PhaseConfig>(completed, problems);
    CheckSwa(completed, config.phases[i], problems);
  }
  if (config.phases.empty()) CheckSwa(node, config, problems);
  CheckPhases(phases, config.phases, problems);
  CheckEpochs(node, config, problems);
  return config;
}

YamlNode ToYaml(const TrainingConfig& config) {
  const YamlNode written = detail::WriteStruct(config);
  return config.phases.empty() ? written.Without("phases") : written;
}

YamlNode TrainingSchema() { return SchemaOf<TrainingConfig>(); }

std::vector<FieldDoc> DescribeTraining() {
  std::vector<FieldDoc> fields = Describe<TrainingConfig>();
  const auto phases = std::ranges::find(fields, "phases", &FieldDoc::name);
  for (FieldDoc& field : phases->nested) {
    const auto common = std::ranges::find(fields, field.name, &FieldDoc::name);
    if (common == fields.end()) continue;
    field.default_value.clear();
    field.nested.clear();
    field.doc = "As above, for this phase.";
  }
  return fields;
}

}  // namespace weir
