// What a parameter may be, as JSON Schema (draft 7, which editors know): built as a tree that is
// written out as JSON. Texts of numbers and sizes are described by patterns, as YAML leaves `1/255`
// and `512MiB` to whoever reads them.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/yaml_node.h"

namespace weir::schema {

YamlNode Anything();
YamlNode OfType(std::string_view type);       // "boolean", "null"
YamlNode Text();                              // any scalar: a name may look like a number
YamlNode Matching(std::string_view pattern);  // a text
YamlNode OneOf(const std::vector<std::string>& texts);
YamlNode AnyOf(const std::vector<YamlNode>& forms);
YamlNode ListOf(const YamlNode& item);
YamlNode ListOf(const YamlNode& item, std::size_t length);

struct Property {
  std::string name;
  YamlNode form;
  bool is_required = false;
};
// A map with these keys and no others; `may_be_null` where it may be left empty.
YamlNode MapOf(const std::vector<Property>& properties, bool may_be_null);

// One of these, written as its name or as {name: {parameters}}.
YamlNode NamedOf(const std::vector<Property>& components);

}  // namespace weir::schema
