// Reads YAML from a string, as if it were the file a.yaml in the folder `cfg`.
#pragma once

#include <string>
#include <utility>

#include "framework/config/params.h"
#include "framework/config/yaml_reader.h"

namespace weir {

inline YamlNode YamlOf(std::string text, Problems& problems) {
  return ParseYaml(YamlSource::File("a.yaml", std::move(text), "cfg"), problems);
}

// Everything that is wrong with `text` as a P.
template <class P>
std::string ProblemsOf(std::string text) {
  Problems problems;
  const YamlNode node = YamlOf(std::move(text), problems);
  if (problems.empty()) Parse<P>(node, problems);
  return problems.text();
}

template <class P>
P Read(std::string text) {
  Problems problems;
  const YamlNode node = YamlOf(std::move(text), problems);
  problems.ThrowIfAny();
  return Parse<P>(node);
}

}  // namespace weir
