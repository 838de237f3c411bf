// What a plugin defines: the stages that it brings along.
//
//   #include "framework/plugin/plugin_entry.h"
//
//   void weir_plugin::AddStages(weir::Registry& registry) { registry.Add<Sepia>(); }
//
// It is built by weir_add_plugin(), which adds plugin_entry.cc to it. Stages are used as those that
// are built in; see stage.h for what one is.
#pragma once

#include "framework/flow/registry.h"

namespace weir_plugin {

// Called once, when the plugin is loaded.
void AddStages(weir::Registry& registry);

}  // namespace weir_plugin
