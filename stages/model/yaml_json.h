// A YAML tree as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "framework/yaml_node.h"

namespace weir {

// Keys keep their order. A scalar that is written without quotes and reads as a number or a truth
// value is one, any other is a text.
nlohmann::ordered_json ToJson(const YamlNode& node);

}  // namespace weir
