#include "stages/model/yaml_json.h"

namespace weir {

nlohmann::ordered_json ToJson(const YamlNode& node) {
  using Json = nlohmann::ordered_json;
  Json json;
  if (node.is_list()) {
    json = Json::array();
    for (const YamlNode& item : node.items()) json.push_back(ToJson(item));
  } else if (node.is_map()) {
    json = Json::object();
    for (const YamlEntry& entry : node.entries()) json[entry.key] = ToJson(entry.value);
  } else if (node.is_scalar()) {
    if (!node.quoted()) json = Json::parse(node.scalar(), nullptr, /*allow_exceptions=*/false);
    if (!json.is_number() && !json.is_boolean()) json = node.scalar();
  }
  return json;
}

}  // namespace weir
