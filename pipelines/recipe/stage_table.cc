#include "pipelines/recipe/stage_table.h"

#include <system_error>

#include "framework/plugin/plugin.h"
#include "pipelines/recipe/builtin.h"

namespace weir {

StageTable::StageTable(const char* plugin_path) : plugin_path_(plugin_path ? plugin_path : "") {
  AddBuiltinStages(registry_);
}

void StageTable::Load(const std::vector<std::filesystem::path>& plugins) {
  if (!has_searched_) {
    for (const std::filesystem::path& plugin : FindPlugins(plugin_path_)) LoadOnce(plugin);
    has_searched_ = true;
  }
  for (const std::filesystem::path& plugin : plugins) LoadOnce(plugin);
}

void StageTable::LoadOnce(const std::filesystem::path& plugin) {
  std::error_code absent;
  const std::filesystem::path file = std::filesystem::weakly_canonical(plugin, absent);
  if (loaded_.contains(file)) return;
  LoadPlugin(plugin, registry_);
  loaded_.insert(file);
}

}  // namespace weir
