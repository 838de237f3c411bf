# LibTorch::cpu, LibTorch::c10_cuda (the memory and the streams of its CUDA half) where that is there, and LibTorch::cuda
# where all of that half is; from the first of
#   Torch_DIR, WEIR_LIBTORCH (a folder with include/ and lib/), .deps/libtorch (bootstrap.sh), an importable Python torch.
# The wheels from PyPI are whole LibTorches; libtorch_cpu.so links without libtorch_cuda.so.
set(_roots "")
foreach(_root "${Torch_DIR}" "$ENV{Torch_DIR}")
  if(_root)
    get_filename_component(_root "${_root}/../../.." ABSOLUTE)
    list(APPEND _roots "${_root}")
  endif()
endforeach()
foreach(_root "${WEIR_LIBTORCH}" "$ENV{WEIR_LIBTORCH}" "${PROJECT_SOURCE_DIR}/.deps/libtorch")
  if(_root)
    list(APPEND _roots "${_root}")
  endif()
endforeach()
find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATHS ${_roots} PATH_SUFFIXES include NO_DEFAULT_PATH NO_CACHE)
if(NOT LibTorch_INCLUDE_DIR)
  execute_process(
    COMMAND python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE _root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE _status)
  if(_status EQUAL 0)
    find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATHS "${_root}" PATH_SUFFIXES include NO_DEFAULT_PATH NO_CACHE)
  endif()
endif()

# All of it from the one root that has the headers: two LibTorches are never mixed.
get_filename_component(_root "${LibTorch_INCLUDE_DIR}" DIRECTORY)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS "${_root}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_C10_LIBRARY c10 PATHS "${_root}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_CUDA_LIBRARY torch_cuda PATHS "${_root}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda PATHS "${_root}/lib" NO_DEFAULT_PATH NO_CACHE)
foreach(_header torch/csrc/api/include/torch/version.h torch/headeronly/version.h)
  if(EXISTS "${LibTorch_INCLUDE_DIR}/${_header}")
    file(STRINGS "${LibTorch_INCLUDE_DIR}/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    if(_lines)
      string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
      string(REPLACE ";" "." LibTorch_VERSION "${_numbers}")
    endif()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Run ./bootstrap.sh, which fetches it into .deps/, or set WEIR_LIBTORCH.")
if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  add_library(LibTorch::cpu INTERFACE IMPORTED)
  target_include_directories(LibTorch::cpu INTERFACE
    ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(LibTorch::cpu INTERFACE ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
  # libtorch_cpu.so finds the CUDA runtime that it names beside itself; the linker need not.
  target_link_options(LibTorch::cpu INTERFACE -Wl,--allow-shlib-undefined "-Wl,-rpath-link,${_root}/lib")
  if(LibTorch_C10_CUDA_LIBRARY)
    add_library(LibTorch::c10_cuda INTERFACE IMPORTED)
    target_link_libraries(LibTorch::c10_cuda INTERFACE LibTorch::cpu ${LibTorch_C10_CUDA_LIBRARY})
  endif()
  if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY)
    add_library(LibTorch::cuda INTERFACE IMPORTED)
    target_link_libraries(LibTorch::cuda INTERFACE
      LibTorch::cpu ${LibTorch_CUDA_LIBRARY} ${LibTorch_C10_CUDA_LIBRARY})
  endif()
endif()
