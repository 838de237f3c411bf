# Headers that many files include, precompiled once for all targets of a kind:
#   weir_precompile(TARGET tests | libtorch | library)
# A file of tests takes 0.4 of its time, one that includes LibTorch's tensors half. With g++ other code gains nothing,
# and goes without, so that it is noticed where a file lacks an include; clang, which compiles for AddressSanitizer, takes
# half its time there too.
set(_std <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstdint> <cstdio> <cstring> <filesystem> <fstream>
  <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view> <system_error> <thread>
  <tuple> <utility> <variant> <vector> <nlohmann/json.hpp>)
set(_headers_of_library ${_std})
set(_headers_of_tests ${_std} <gmock/gmock.h> <gtest/gtest.h>)
set(_headers_of_libtorch <ATen/TensorOperators.h> <ATen/core/Tensor.h>)
set(_needs_of_tests GTest::gmock)
set(_needs_of_libtorch LibTorch::cpu)
set(_options_of_tests -fPIE)  # as programs are compiled

function(weir_precompile target kind)
  if(NOT TARGET weir_precompiled_${kind})
    file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cc "")
    add_library(weir_precompiled_${kind} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
    target_link_libraries(weir_precompiled_${kind} PRIVATE weir_options ${_needs_of_${kind}})
    target_compile_options(weir_precompiled_${kind} PRIVATE ${_options_of_${kind}})
    target_precompile_headers(weir_precompiled_${kind} PRIVATE ${_headers_of_${kind}})
  endif()
  target_compile_options(${target} PRIVATE ${_options_of_${kind}})
  target_precompile_headers(${target} REUSE_FROM weir_precompiled_${kind})
endfunction()

# The same for every library in a folder that has none yet.
function(weir_precompile_libraries folder)
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(each IN LISTS folders)
    weir_precompile_libraries(${each})
  endforeach()
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(has_any ${target} PRECOMPILE_HEADERS_REUSE_FROM)
    if(type STREQUAL STATIC_LIBRARY AND NOT has_any)
      weir_precompile(${target} library)
    endif()
  endforeach()
endfunction()
