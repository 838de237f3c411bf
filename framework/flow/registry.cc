#include "framework/flow/registry.h"

#include <utility>

namespace weir {

void Registry::Add(StageSpec spec) {
  const std::string name = spec.name;
  if (!specs_.emplace(name, std::move(spec)).second) {
    throw Error(ErrorKind::kConfig, "there are two stages named " + name,
                "Rename the one of the plugin: its kName is the name in the YAML.");
  }
}

const StageSpec* Registry::Find(const std::string& name) const {
  const auto found = specs_.find(name);
  return found == specs_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, spec] : specs_) names.push_back(name);
  return names;
}

}  // namespace weir
