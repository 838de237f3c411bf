// Stages from shared objects.
//
// A plugin is used only where it was built against the same interface (build_id.h), which is read
// from a note in its file before any code of it is run. Once loaded it stays. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/flow/registry.h"

namespace weir {

// This program's own.
std::string BuildId();

// The build id of the plugin in `path`, of which nothing is loaded. Throws Error(kConfig) where it
// cannot be read, is no shared object of this machine, or no plugin.
std::string ReadBuildId(const std::filesystem::path& path);

// Loads the plugin and adds its stages, whose specs then name it. Throws Error(kConfig), which
// names the file, where it is none, was built against another interface, lacks something, throws,
// or brings a stage whose name is taken. Where it crashes, the program ends with a line that names
// it.
void LoadPlugin(const std::filesystem::path& path, Registry& registry);

// The shared objects (*.so) in the folders of `search_path`, which colons separate, sorted; folders
// that are not there are passed over.
std::vector<std::filesystem::path> FindPlugins(const std::string& search_path);

}  // namespace weir
