// The stages that a configuration may name: those that are built in, and those of plugins.
//
//   StageTable stages(std::getenv("WEIR_PLUGIN_PATH"));   // once, in main
//   stages.Load(config.plugins);
//   const StageSpec* decode = stages.registry().Find("decode");
//
// The plugins of WEIR_PLUGIN_PATH are loaded with the first that are asked for, so that a faulty
// one does not end a command that needs no stage. What is loaded stays. One thread.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "framework/flow/registry.h"

namespace weir {

class StageTable {
 public:
  // `plugin_path` is a list of folders, which colons separate; null: none.
  explicit StageTable(const char* plugin_path = nullptr);
  StageTable(const StageTable&) = delete;
  StageTable& operator=(const StageTable&) = delete;

  // Adds the stages of the plugins in the folders of the plugin path, at the first call, and of
  // `plugins`; each file is loaded once. Throws as LoadPlugin does.
  void Load(const std::vector<std::filesystem::path>& plugins);

  const Registry& registry() const { return registry_; }

 private:
  void LoadOnce(const std::filesystem::path& plugin);

  const std::string plugin_path_;
  bool has_searched_ = false;  // the folders of the plugin path
  Registry registry_;
  std::set<std::filesystem::path> loaded_;
};

}  // namespace weir
