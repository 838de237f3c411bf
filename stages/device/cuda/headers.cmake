# Looks for what the device side's C++ is compiled with: LibTorch's libc10_cuda.so, and the CUDA headers of its version,
# those of the toolkit that is used or of another. Sets WEIR_CUDA_INCLUDE_DIRS, or WEIR_CUDA_HEADERS_MISSING to the words
# for what is missing.
set(WEIR_CUDA_HEADERS_MISSING "")
if(NOT TARGET LibTorch::c10_cuda)
  set(WEIR_CUDA_HEADERS_MISSING "${LibTorch_CPU_LIBRARY} has no libc10_cuda.so beside it")
  return()
endif()
if(CUDAToolkit_FOUND)
  set(WEIR_CUDA_INCLUDE_DIRS ${CUDAToolkit_INCLUDE_DIRS})
  return()
endif()
find_path(WEIR_CUDA_INCLUDE_DIRS cuda_bf16.h
  PATHS ${PROJECT_SOURCE_DIR}/.deps/nvcc ${PROJECT_SOURCE_DIR}/.deps/cuda-headers
    ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda
  PATH_SUFFIXES include
  NO_DEFAULT_PATH NO_CACHE)
if(NOT WEIR_CUDA_INCLUDE_DIRS)
  set(WEIR_CUDA_HEADERS_MISSING "there are no CUDA headers (in .deps/nvcc, .deps/cuda-headers or /usr/local/cuda)")
  return()
endif()
# cuda_bf16.h includes it, and it comes in a package of its own. A toolkit's compiler finds it by itself; a host's does not.
if(NOT EXISTS "${WEIR_CUDA_INCLUDE_DIRS}/nv/target")
  set(WEIR_CUDA_HEADERS_MISSING "${WEIR_CUDA_INCLUDE_DIRS} has cuda_bf16.h and not nv/target, which that includes")
  return()
endif()
file(STRINGS "${LibTorch_C10_CUDA_LIBRARY}" _runtimes REGEX "libcudart\\.so\\.[0-9]+")
string(REGEX MATCH "libcudart\\.so\\.([0-9]+)" _runtimes "${_runtimes}")
set(_of_libtorch ${CMAKE_MATCH_1})
file(STRINGS "${WEIR_CUDA_INCLUDE_DIRS}/cuda_runtime_api.h" _version REGEX "define CUDART_VERSION +[0-9]+")
string(REGEX REPLACE ".*CUDART_VERSION +([0-9]*)[0-9][0-9][0-9].*" "\\1" _of_headers "${_version}")
if(NOT _of_headers STREQUAL _of_libtorch)
  set(WEIR_CUDA_HEADERS_MISSING
    "LibTorch is of CUDA ${_of_libtorch} and ${WEIR_CUDA_INCLUDE_DIRS} of CUDA ${_of_headers}")
endif()
