// The files of a new plugin, with @name@ and @Name@ where its name goes. Made by the build of those
// in pipelines/commands/plugin_template/.
#pragma once

#include <string_view>
#include <vector>

namespace weir {

struct TemplateFile {
  std::string_view name;  // "@name@.cc"
  std::string_view text;
};

const std::vector<TemplateFile>& PluginTemplate();

}  // namespace weir
