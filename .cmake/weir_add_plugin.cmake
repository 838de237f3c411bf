# weir_add_plugin(NAME SOURCES...): libNAME.so, which weir loads. One of the sources defines
# weir_plugin::AddStages (framework/plugin/plugin_entry.h). Nothing in it is visible but its entry.
function(weir_add_plugin name)
  add_library(${name} MODULE ${ARGN} ${weir_PLUGIN_ENTRY})
  target_link_libraries(${name} PRIVATE weir::framework)
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,defs)
  set_target_properties(${name} PROPERTIES
    PREFIX lib
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
endfunction()
