#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/config/params.h"
#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/recipe/stage_table.h"
#include "stages/model/model_config.h"
#include "stages/train/training_config.h"

namespace weir {
namespace {

using nlohmann::json;

json ToJson(const std::vector<FieldDoc>& fields) {
  json all = json::array();
  for (const FieldDoc& field : fields) {
    json one = {{"name", field.name},
                {"type", field.type},
                {"doc", field.doc},
                {"required", field.required},
                {"range", field.range}};
    if (!field.default_value.empty()) one["default"] = field.default_value;
    if (!field.choices.empty()) one["choices"] = field.choices;
    if (!field.nested.empty()) one["fields"] = ToJson(field.nested);
    all.push_back(std::move(one));
  }
  return all;
}

std::string Takes(const StageSpec& spec) {
  std::string takes(spec.ports.in);
  if (!spec.ports.second_in.empty()) takes += " and " + std::string(spec.ports.second_in);
  return takes;
}

std::vector<std::string> NamesOf(const std::vector<ResourceUse>& uses) {
  std::vector<std::string> names;
  for (const ResourceUse& use : uses) names.emplace_back(use.name);
  return names;
}

json ToJson(const StageSpec& spec) {
  return {{"name", spec.name},
          {"doc", spec.doc},
          {"takes", Takes(spec)},
          {"gives", spec.ports.out},
          {"needs", NamesOf(spec.needs)},
          {"provides", NamesOf(spec.provides)},
          {"parallel", spec.concurrency == Concurrency::kParallel},
          {"plugin", spec.plugin},
          {"parameters", ToJson(spec.fields)}};
}

// The first of `parts` before `part` that has `field` too, in the same words; null where none has.
const FieldDoc* FirstWith(const FieldDoc& field, const std::vector<FieldDoc>& parts,
                          const FieldDoc& part) {
  for (const FieldDoc& earlier : parts) {
    if (&earlier == &part) break;
    if (std::ranges::count(earlier.nested, field) > 0) return &earlier;
  }
  return nullptr;
}

// `fields`; what one of them has in the words of one before it is named alone.
void PrintFields(const std::vector<FieldDoc>& fields, int indent) {
  for (const FieldDoc& field : fields) {
    std::printf("%*s%s: %s", indent, "", field.name.c_str(), field.type.c_str());
    if (!field.range.empty()) std::printf(", %s", field.range.c_str());
    const std::string choices = Enumerate(field.choices, "or");
    if (!choices.empty() && choices != field.type) std::printf(" (%s)", choices.c_str());
    if (field.required) {
      std::printf("; required");
    } else if (!field.default_value.empty()) {
      std::printf("; default %s", field.default_value.c_str());
    }
    std::putchar('\n');
    if (!field.doc.empty()) std::printf("%*s  %s\n", indent, "", field.doc.c_str());
    for (const std::string& old : field.old_names) {
      std::printf("%*s  It was called `%s`, which still works.\n", indent, "", old.c_str());
    }
    if (!field.foreign_names.empty()) {
      std::printf("%*s  Elsewhere called %s.\n", indent, "",
                  Enumerate(field.foreign_names, "or").c_str());
    }
    std::vector<FieldDoc> own;
    std::map<std::string, std::vector<std::string>> shown;  // by the field that shows them
    for (const FieldDoc& nested : field.nested) {
      const FieldDoc* const earlier = FirstWith(nested, fields, field);
      if (earlier) {
        shown[earlier->name].push_back(nested.name);
      } else {
        own.push_back(nested);
      }
    }
    PrintFields(own, indent + 4);
    for (const auto& [earlier, names] : shown) {
      std::printf("%*s%s: as those of %s\n", indent + 4, "", Enumerate(names).c_str(),
                  earlier.c_str());
    }
  }
}

void PrintStage(const StageSpec& spec) {
  std::printf("%s: %s\n", spec.name.c_str(), spec.doc.c_str());
  if (!spec.plugin.empty()) std::printf("  of the plugin '%s'\n", spec.plugin.c_str());
  const auto or_nothing = [](const std::string& ports) {
    return ports.empty() ? "nothing" : ports;
  };
  std::printf("  takes %s, gives %s\n", or_nothing(Takes(spec)).c_str(),
              or_nothing(std::string(spec.ports.out)).c_str());
  const auto print_resources = [](const char* does, const std::vector<ResourceUse>& uses) {
    if (!uses.empty()) std::printf("  %s the %s\n", does, Enumerate(NamesOf(uses)).c_str());
  };
  print_resources("needs", spec.needs);
  print_resources("provides", spec.provides);
  std::printf("\n");
  if (spec.fields.empty()) std::printf("  It has no parameters.\n");
  PrintFields(spec.fields, 2);
}

// The sections of a configuration that are no stages.
std::vector<FieldDoc> SectionFields(const std::string& name) {
  if (name == "model") return DescribeModel();
  if (name == "training") return DescribeTraining();
  return {};
}

void PrintAll(const Registry& stages) {
  std::size_t width = 0;
  for (const std::string& name : stages.names()) width = std::max(width, name.size());
  for (const std::string& name : stages.names()) {
    const StageSpec& spec = *stages.Find(name);
    std::printf("%-*s %-15s ─▶ %-15s %s\n", static_cast<int>(width), name.c_str(),
                Takes(spec).c_str(), std::string(spec.ports.out).c_str(), spec.doc.c_str());
  }
  std::printf(
      "\n`weir stages NAME` shows the parameters of one; `weir stages model` and "
      "`weir stages training`\nthose of the sections.\n");
}

// A cell of a table in Markdown.
std::string Cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

void PrintRows(const std::vector<FieldDoc>& fields, const std::string& prefix) {
  for (const FieldDoc& field : fields) {
    std::string takes = field.type;
    if (!field.range.empty()) takes += ", " + field.range;
    const std::string choices = Enumerate(field.choices, "or");
    if (!choices.empty() && choices != field.type) takes += " (" + choices + ")";
    const std::string value = field.required                ? "required"
                              : field.default_value.empty() ? ""
                                                            : "`" + field.default_value + "`";
    std::printf("| `%s` | %s | %s | %s |\n", (prefix + field.name).c_str(), Cell(takes).c_str(),
                Cell(value).c_str(), Cell(field.doc).c_str());
    PrintRows(field.nested, prefix + field.name + ".");
  }
}

void PrintTable(const std::vector<FieldDoc>& fields) {
  if (fields.empty()) {
    std::printf("It has no parameters.\n");
    return;
  }
  std::printf("| key | takes | default | what it does |\n|---|---|---|---|\n");
  PrintRows(fields, "");
}

void PrintReference(const Registry& stages) {
  std::printf("# Stages and sections of weir's configurations\n");
  for (const std::string& name : stages.names()) {
    const StageSpec& spec = *stages.Find(name);
    std::printf("\n## %s\n\n%s\n\n", name.c_str(), spec.doc.c_str());
    if (!spec.ports.in.empty()) std::printf("Takes `%s`. ", Takes(spec).c_str());
    if (!spec.ports.out.empty()) std::printf("Gives `%s`. ", std::string(spec.ports.out).c_str());
    if (!spec.needs.empty()) {
      std::printf("Needs the %s. ", Enumerate(NamesOf(spec.needs)).c_str());
    }
    if (!spec.provides.empty()) {
      std::printf("Provides the %s.", Enumerate(NamesOf(spec.provides)).c_str());
    }
    std::printf("\n\n");
    PrintTable(spec.fields);
  }
  std::printf("\n## The top level\n\n");
  PrintTable(Describe<Config>());
  for (const char* section : {"model", "training"}) {
    std::printf("\n## The section `%s:`\n\n", section);
    PrintTable(SectionFields(section));
  }
}

}  // namespace

void StagesCommand(const StagesOptions& options, StageTable& table) {
  const std::string& name = options.name;
  const bool as_json = options.json;
  table.Load(options.plugins);
  const Registry& stages = table.registry();
  if (options.markdown) return PrintReference(stages);
  if (name.empty()) {
    if (!as_json) return PrintAll(stages);
    json all = json::array();
    for (const std::string& each : stages.names()) all.push_back(ToJson(*stages.Find(each)));
    std::printf("%s\n", all.dump(2).c_str());
    return;
  }
  const std::vector<FieldDoc> section = SectionFields(name);
  const StageSpec* spec = stages.Find(name);
  if (!spec && section.empty()) {
    throw Error(ErrorKind::kConfig,
                "there is no stage `" + name + "`" + DidYouMean(name, stages.names()),
                "`weir stages` lists what there is.");
  }
  if (as_json) {
    std::printf("%s\n", (spec ? ToJson(*spec) : ToJson(section)).dump(2).c_str());
  } else if (spec) {
    PrintStage(*spec);
  } else {
    std::printf("the section %s:\n\n", name.c_str());
    PrintFields(section, 2);
  }
}

}  // namespace weir
