# OneDnn::dnnl: oneDNN 3 or newer, the system's where it is recent enough, or bootstrap.sh's in .deps/onednn.
find_path(OneDnn_INCLUDE_DIR oneapi/dnnl/dnnl.hpp
  PATHS ${WEIR_ONEDNN} $ENV{WEIR_ONEDNN} ${PROJECT_SOURCE_DIR}/.deps/onednn PATH_SUFFIXES include NO_DEFAULT_PATH)
find_path(OneDnn_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(OneDnn_LIBRARY dnnl
  PATHS ${WEIR_ONEDNN} $ENV{WEIR_ONEDNN} ${PROJECT_SOURCE_DIR}/.deps/onednn PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(OneDnn_LIBRARY dnnl)
if(OneDnn_INCLUDE_DIR)
  file(STRINGS ${OneDnn_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h _lines REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
  string(REPLACE ";" "." OneDnn_VERSION "${_numbers}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDnn REQUIRED_VARS OneDnn_LIBRARY OneDnn_INCLUDE_DIR VERSION_VAR OneDnn_VERSION
  REASON_FAILURE_MESSAGE "Run ./bootstrap.sh, which fetches it into .deps/, or set WEIR_ONEDNN.")
if(OneDnn_FOUND AND OneDnn_VERSION VERSION_LESS 3)
  message(FATAL_ERROR "oneDNN ${OneDnn_VERSION} in ${OneDnn_INCLUDE_DIR} is too old: weir needs 3 or newer. Run ./bootstrap.sh.")
endif()
if(OneDnn_FOUND AND NOT TARGET OneDnn::dnnl)
  add_library(OneDnn::dnnl INTERFACE IMPORTED)
  target_include_directories(OneDnn::dnnl INTERFACE ${OneDnn_INCLUDE_DIR})
  target_link_libraries(OneDnn::dnnl INTERFACE ${OneDnn_LIBRARY})
endif()
