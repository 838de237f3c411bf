#include "pipelines/job/stage_table.h"

#include <system_error>

#include "framework/plugin/plugin.h"
#include "pipelines/job/builtin.h"

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
  if (loaded_.insert(std::filesystem::weakly_canonical(plugin, absent)).second) {
    LoadPlugin(plugin, registry_);
  }
}

}  // namespace weir
