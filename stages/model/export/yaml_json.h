// A YAML tree as JSON, and JSON as a YAML tree.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/config/yaml_node.h"
#include "stages/files/bounded_json.h"

namespace weir {

// Keys keep their order. A scalar that is written without quotes and reads as a number or a truth
// value is one, any other is a text.
nlohmann::ordered_json ToJson(const YamlNode& node);

// What may become of JSON that comes from anybody.
struct YamlFromJsonOptions {
  JsonLimits limits;
  std::size_t most_values = 4'096;    // in the tree: some 400 bytes each
  std::size_t most_text = 256 << 10;  // bytes in it, of texts and keys
  // The texts of the list under this key of the outermost object go into `texts`, `most_texts` at
  // most, and the list is empty in the tree.
  std::string key{};
  std::vector<std::string>* texts = nullptr;
  std::size_t most_texts = 0;
};

// Throws JsonRefusal.
YamlNode YamlFromJson(std::string_view text, const YamlFromJsonOptions& options);

}  // namespace weir
