#include <cstdio>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/config/schema.h"
#include "pipelines/commands/commands.h"
#include "pipelines/recipe/stage_table.h"
#include "stages/model/export/yaml_json.h"
#include "stages/model/model_config.h"
#include "stages/train/training_config.h"

namespace weir {
namespace {

YamlNode Described(const YamlNode& form, const std::string& doc) {
  return form.With({"description", YamlNode::Scalar(doc, true)});
}

// An item of `pipeline:`.
YamlNode StageSchema(const Registry& registry) {
  const YamlNode as = Described(schema::Text(), "Its name in the pipeline; by default its own.");
  const YamlNode from =
      Described(schema::AnyOf({schema::Text(), schema::ListOf(schema::Text())}),
                "The earlier stage that it takes from; by default the one before it.");
  std::vector<schema::Property> stages;
  for (const std::string& name : registry.names()) {
    const StageSpec& spec = *registry.Find(name);
    const YamlNode parameters =
        spec.schema.Find("properties")->With({"as", as}).With({"from", from});
    stages.push_back({name, Described(spec.schema.With({"properties", parameters}), spec.doc)});
  }
  return schema::NamedOf(stages);
}

}  // namespace

void SchemaCommand(const std::vector<std::filesystem::path>& plugins, StageTable& stages) {
  stages.Load(plugins);
  const YamlNode config = SchemaOf<Config>();
  YamlNode properties = *config.Find("properties");
  const YamlNode pipeline = *properties.Find("pipeline");
  properties =
      properties.With({"pipeline", pipeline.With({"items", StageSchema(stages.registry())})})
          .With({"model", Described(ModelSchema(), "The network.")})
          .With({"training", Described(TrainingSchema(), "How it learns.")});
  const YamlNode schema =
      YamlNode::Map({{"$schema", YamlNode::Scalar("http://json-schema.org/draft-07/schema#", true)},
                     {"title", YamlNode::Scalar("A configuration of weir", true)},
                     {"type", YamlNode::Scalar("object", true)},
                     {"properties", properties},
                     {"required", *config.Find("required")},
                     {"additionalProperties", YamlNode::Scalar("false")}});
  std::printf("%s\n", ToJson(schema).dump(2).c_str());
}

}  // namespace weir
