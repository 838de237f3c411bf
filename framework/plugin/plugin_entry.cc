// Compiled into every plugin: its build id, to be read before any of its code is run, and the one
// function that weir calls. Nothing else of a plugin need be visible.
#include "framework/plugin/plugin_entry.h"

#include <cstdint>

#include "framework/plugin/build_id.h"

namespace {

// As ELF has a note: the sizes of its name and of its text, its type, the name, the text.
struct Note {
  std::uint32_t name_bytes, text_bytes, type;
  char name[8];
  alignas(4) char text[sizeof WEIR_BUILD_ID];
};

[[gnu::used, gnu::section(".note.weir")]] const Note kNote = {5, sizeof WEIR_BUILD_ID, 1, "weir",
                                                              WEIR_BUILD_ID};

}  // namespace

extern "C" [[gnu::visibility("default")]] void weir_plugin_register(weir::Registry& registry) {
  weir_plugin::AddStages(registry);
}
