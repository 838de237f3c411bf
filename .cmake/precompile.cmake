# Makes a build under a sanitizer take half its time: the standard library's headers are precompiled, which otherwise is
# most of what a compiler does, and the tests' own code is not optimised. Other builds do without, so that they notice
# where a file lacks an include.
set(precompiled ${PROJECT_BINARY_DIR}/precompiled.cc)
file(WRITE ${precompiled} "")
set(headers <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstdint> <cstdio> <cstring> <filesystem> <fstream>
  <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view> <system_error> <thread>
  <tuple> <utility> <variant> <vector> <nlohmann/json.hpp>)
add_library(weir_precompiled OBJECT ${precompiled})
target_link_libraries(weir_precompiled PRIVATE weir_options)
target_precompile_headers(weir_precompiled PRIVATE ${headers})
add_library(weir_test_precompiled OBJECT ${precompiled})
target_link_libraries(weir_test_precompiled PRIVATE weir_options GTest::gmock)
target_compile_options(weir_test_precompiled PRIVATE -fPIE -O0)  # as programs are compiled
target_precompile_headers(weir_test_precompiled PRIVATE ${headers} <gmock/gmock.h> <gtest/gtest.h>)

function(weir_precompile folder)
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(each IN LISTS folders)
    weir_precompile(${each})
  endforeach()
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL STATIC_LIBRARY)
      target_precompile_headers(${target} REUSE_FROM weir_precompiled)
    elseif(type STREQUAL EXECUTABLE)
      target_compile_options(${target} PRIVATE -O0)
      target_precompile_headers(${target} REUSE_FROM weir_test_precompiled)
    endif()
  endforeach()
endfunction()
foreach(folder framework stages pipelines tests)
  weir_precompile(${PROJECT_SOURCE_DIR}/${folder})
endforeach()
# Compiled with OpenMP, which the precompiled headers are not.
set_property(SOURCE ${PROJECT_SOURCE_DIR}/stages/kernels/one_open_mp_thread.cc
  DIRECTORY ${PROJECT_SOURCE_DIR}/stages/kernels PROPERTY SKIP_PRECOMPILE_HEADERS ON)
