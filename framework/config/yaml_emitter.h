// YAML as text. Pure functions; any thread.
#pragma once

#include <string>

#include "framework/config/yaml_node.h"

namespace weir {

// Block text, ending in a newline, that reads back to the same values. Lists of scalars stand on
// one line. Comments, anchors and merge keys are not kept: aliases are written out.
std::string EmitYaml(const YamlNode& node);
// The same on one line, without a newline: "[224, 224]".
std::string EmitFlow(const YamlNode& node);

}  // namespace weir
