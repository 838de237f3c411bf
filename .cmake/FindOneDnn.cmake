# OneDnn::dnnl: oneDNN 3 or newer, from the first of WEIR_ONEDNN (a folder with include/ and lib/), .deps/onednn
# (bootstrap.sh, where the system's is older) and the system.
set(_roots "")
foreach(_root "${WEIR_ONEDNN}" "$ENV{WEIR_ONEDNN}" "${PROJECT_SOURCE_DIR}/.deps/onednn")
  if(_root)
    list(APPEND _roots "${_root}")
  endif()
endforeach()
find_path(OneDnn_INCLUDE_DIR oneapi/dnnl/dnnl.hpp PATHS ${_roots} PATH_SUFFIXES include NO_DEFAULT_PATH NO_CACHE)
find_path(OneDnn_INCLUDE_DIR oneapi/dnnl/dnnl.hpp NO_CACHE)
find_library(OneDnn_LIBRARY dnnl PATHS ${_roots} PATH_SUFFIXES lib lib64 NO_DEFAULT_PATH NO_CACHE)
find_library(OneDnn_LIBRARY dnnl NO_CACHE)
if(OneDnn_INCLUDE_DIR)
  file(STRINGS "${OneDnn_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" _lines
    REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
  string(REPLACE ";" "." OneDnn_VERSION "${_numbers}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDnn
  REQUIRED_VARS OneDnn_LIBRARY OneDnn_INCLUDE_DIR
  VERSION_VAR OneDnn_VERSION
  REASON_FAILURE_MESSAGE "Run ./bootstrap.sh, which fetches it into .deps/, or set WEIR_ONEDNN.")
if(OneDnn_FOUND AND NOT TARGET OneDnn::dnnl)
  # Not imported, so that its headers are searched before those of the oneDNN inside a Python torch.
  add_library(weir_dnnl INTERFACE)
  add_library(OneDnn::dnnl ALIAS weir_dnnl)
  target_include_directories(weir_dnnl INTERFACE ${OneDnn_INCLUDE_DIR})
  target_link_libraries(weir_dnnl INTERFACE ${OneDnn_LIBRARY})
endif()
