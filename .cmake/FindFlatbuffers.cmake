# flatbuffers, of which the headers are enough: Flatbuffers::flatbuffers.
find_path(FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Flatbuffers REQUIRED_VARS FLATBUFFERS_INCLUDE_DIR)
if(Flatbuffers_FOUND AND NOT TARGET Flatbuffers::flatbuffers)
  add_library(Flatbuffers::flatbuffers INTERFACE IMPORTED)
  set_target_properties(Flatbuffers::flatbuffers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${FLATBUFFERS_INCLUDE_DIR})
endif()
