#include "framework/config/config.h"

#include <algorithm>
#include <utility>

#include "framework/config/config_tree.h"
#include "framework/config/override.h"
#include "framework/config/suggestion.h"
#include "framework/config/yaml_reader.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr std::string_view kFrom = "from";
constexpr std::string_view kAs = "as";

// Takes `from` and `as` out of the parameters.
void TakePlace(StageConfig& stage, Problems& problems) {
  if (const std::optional<YamlNode> as = stage.params.Find(kAs)) {
    stage.as = detail::ReadText(*as, {}, problems).value_or("");
    if (stage.as.empty() || stage.as.find_first_of("./ ") != std::string::npos) {
      problems.Add(as->position(), "`as` takes a word, not " + as->Shown());
    }
    stage.params = stage.params.Without(kAs);
  }
  if (const std::optional<YamlNode> from = stage.params.Find(kFrom)) {
    const std::vector<YamlNode> names = from->is_list() ? from->items() : std::vector{*from};
    for (const YamlNode& name : names) {
      stage.from.push_back(detail::ReadText(name, {}, problems).value_or(""));
      stage.from_positions.push_back(name.position());
    }
    if (names.empty()) problems.Add(from->position(), "`from` takes the name of a stage");
    stage.params = stage.params.Without(kFrom);
  }
}

// Whether each name is of one stage, and each `from` names one before it.
void CheckPlaces(const Config& config, Problems& problems) {
  std::vector<std::string> earlier;
  for (const StageConfig& stage : config.pipeline) {
    for (std::size_t i = 0; i < stage.from.size(); ++i) {
      const std::string& from = stage.from[i];
      if (std::find(earlier.begin(), earlier.end(), from) != earlier.end()) continue;
      std::string ending = DidYouMean(from, earlier);
      if (ending.empty() && !earlier.empty()) ending = "; there are " + Enumerate(earlier);
      problems.Add(stage.from_positions[i],
                   "`from` takes the name of an earlier stage, not " + InBackticks(from) + ending);
    }
    if (std::find(earlier.begin(), earlier.end(), stage.name()) != earlier.end()) {
      problems.Add(stage.position, "there is a stage " + InBackticks(stage.name()) +
                                       " before it: give this one another name, `as: NAME`");
    }
    earlier.push_back(stage.name());
  }
}

}  // namespace

TypeWords ParamType<DeviceMemory>::Words(const FieldRules&) {
  return {"a size such as 6GiB or a part such as 0.5", "sizes"};
}

std::optional<DeviceMemory> ParamType<DeviceMemory>::Read(const YamlNode& node,
                                                          const FieldRules& rules,
                                                          Problems& problems) {
  Problems not_a_number;
  const std::optional<double> part = detail::ReadNumber(node, {}, not_a_number);
  if (part && *part > 0 && *part <= 1) return DeviceMemory{*part};
  const std::variant<ByteSize, std::string> size = ParseByteSize(node.scalar());
  const ByteSize* bytes = std::get_if<ByteSize>(&size);
  if (bytes && bytes->bytes > 0) return DeviceMemory{*bytes};
  detail::AddWrongType(node, rules, Words(rules).one, problems);
  return std::nullopt;
}

YamlNode ParamType<DeviceMemory>::Write(const DeviceMemory& memory, const FieldRules&) {
  if (const double* part = std::get_if<double>(&memory.amount)) return detail::WriteNumber(*part);
  return YamlNode::Scalar(ToText(std::get<ByteSize>(memory.amount)));
}

YamlNode ParamType<DeviceMemory>::Schema(const FieldRules&) {
  FieldRules part;
  part.Add(MoreThan{0});
  return schema::AnyOf({detail::NumberSchema(part), detail::ByteSizeSchema()});
}

TypeWords ParamType<StageConfig>::Words(const FieldRules&) { return {"a stage", "stages"}; }

std::optional<StageConfig> ParamType<StageConfig>::Read(const YamlNode& node,
                                                        const FieldRules& rules,
                                                        Problems& problems) {
  StageConfig stage;
  stage.position = node.position();
  if (node.is_scalar()) {
    stage.stage = node.scalar();
    const std::string parent = node.path().substr(0, node.path().rfind('.') + 1);
    stage.params = YamlNode::Null(node.position()).Named(parent + stage.stage, stage.stage);
    return stage;
  }
  const std::vector<YamlEntry> entries = node.entries();
  if (entries.empty()) {
    detail::AddWrongType(node, rules, "a stage: `name`, or `name: {its parameters}`", problems);
    return std::nullopt;
  }
  if (entries.size() > 1) {
    problems.Add(entries[1].key_position,
                 InBackticks(entries[1].key) + " stands beside the stage " +
                     InBackticks(entries[0].key) +
                     ": indent it further, if it is a parameter, or begin it with `- `");
    return std::nullopt;
  }
  stage.stage = entries[0].key;
  stage.position = entries[0].key_position;
  stage.params = entries[0].value;
  if (!stage.params.is_map() && !stage.params.is_null()) {
    detail::AddWrongType(stage.params, {}, "a map of keys", problems);
    return std::nullopt;
  }
  TakePlace(stage, problems);
  return stage;
}

YamlNode ParamType<StageConfig>::Write(const StageConfig& stage, const FieldRules&) {
  YamlNode params = stage.params.is_null() ? YamlNode::Map({}) : stage.params;
  if (!stage.as.empty()) params = params.With({std::string(kAs), detail::WriteText(stage.as)});
  if (!stage.from.empty()) {
    std::vector<YamlNode> from;
    for (const std::string& name : stage.from) from.push_back(detail::WriteText(name));
    params = params.With({std::string(kFrom), from.size() == 1 ? from[0] : YamlNode::List(from)});
  }
  return YamlNode::Map({{stage.stage, params}});
}

YamlNode Config::Section(std::string_view section) const {
  const auto found = sections.find(section);
  return found != sections.end() ? found->second
                                 : YamlNode().Named(std::string(section), std::string(section));
}

void RanksConfig::Check(const Blame& blame) const {
  if (timeout.seconds < 1 || timeout.seconds > 86400) {
    blame("timeout", "`timeout` takes 1s to 24h, not " + ToText(timeout));
  }
}

void Config::Check(const Blame& blame) const {
  if (name.find('/') != std::string::npos || name.starts_with('.')) {
    blame("name",
          "`name` takes a word that can be part of a folder's name, not " + InBackticks(name));
  }
  if (pipeline.empty()) blame("pipeline", "`pipeline` has no stages");
}

Config LoadConfig(const std::filesystem::path& path, std::span<const std::string> overrides,
                  std::span<const std::string> sections, Problems& problems) {
  const std::size_t before = problems.size();
  YamlNode tree = ReadYaml(path, problems);
  if (problems.size() > before) return {};
  return ConfigOf(std::move(tree), path, overrides, sections, problems);
}

Config ConfigOf(YamlNode tree, const std::filesystem::path& path,
                std::span<const std::string> overrides, std::span<const std::string> sections,
                Problems& problems) {
  for (const std::string& option : overrides) tree = ApplyOverride(tree, option, problems);
  Config config = Parse<Config>(tree, problems, sections);
  if (config.name.empty()) config.name = path.stem().string();
  if (const std::optional<YamlNode> device = tree.Find("device")) {
    config.device_position = device->position();
  }
  for (const std::string& section : sections) {
    if (const std::optional<YamlNode> node = tree.Find(section)) config.sections[section] = *node;
  }
  CheckPlaces(config, problems);
  return config;
}

Config LoadConfig(const std::filesystem::path& path, std::span<const std::string> overrides,
                  std::span<const std::string> sections) {
  Problems problems;
  Config config = LoadConfig(path, overrides, sections, problems);
  problems.ThrowIfAny();
  return config;
}

YamlNode ToYaml(const Config& config) {
  YamlNode tree = detail::WriteStruct(config);
  if (!config.ranks) tree = tree.Without("ranks");
  for (const auto& [name, node] : config.sections) tree = tree.With({name, node});
  return tree;
}

}  // namespace weir
