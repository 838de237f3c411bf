// --set key.path=value: changes one value of a configuration before it is checked.
#pragma once

#include <string>

#include "framework/config/yaml_node.h"
#include "framework/config/yaml_source.h"

namespace weir {

// Returns `tree` with `option` ("training.epochs=3", which stood behind `flag`) applied; the tree
// itself where a problem was found.
//
// The value is YAML on one line: a list or a map in brackets, a text in quotes, or a plain text,
// which is taken as it is, but for blanks around it: a ` #` in it begins no comment, and a sign
// that means something at the beginning of a YAML text means itself.
//
// A key is addressed by its path. An item of a list is addressed by its index from 0, or by its
// name where it is a map of one key or a bare word, as the stages of a pipeline are:
// `pipeline.augment.size=[64, 64]`, `model.head.1.dense.units=64`. Keys that are not there are
// made, items of lists are not. Whether a key is known is judged by who parses the tree; its
// problem then shows the --set. Relative paths in the value are relative to the working directory.
YamlNode ApplyOverride(const YamlNode& tree, const std::string& option, Problems& problems,
                       const std::string& flag = "--set");

}  // namespace weir
