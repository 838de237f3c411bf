# Looks for the CUDA toolkit, first in .deps/nvcc (bootstrap.sh, where the system's is not LibTorch's): sets
# CMAKE_CUDA_COMPILER and CMAKE_CUDA_ARCHITECTURES where they are not set, or WEIR_CUDA_MISSING to the words for what is
# missing. Nothing is enabled here.
set(WEIR_CUDA_MISSING "")
find_program(WEIR_NVCC nvcc
  HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin
  DOC "The CUDA compiler")
if(CMAKE_CUDA_COMPILER)
  set(_nvcc ${CMAKE_CUDA_COMPILER})
elseif(EXISTS "${PROJECT_SOURCE_DIR}/.deps/nvcc/bin/nvcc")
  set(_nvcc "${PROJECT_SOURCE_DIR}/.deps/nvcc/bin/nvcc")
else()
  set(_nvcc ${WEIR_NVCC})
endif()
if(NOT _nvcc)
  set(WEIR_CUDA_MISSING "there is no nvcc (in .deps/nvcc, on PATH or in /usr/local/cuda/bin)")
  return()
endif()
if(NOT TARGET LibTorch::cuda)
  set(WEIR_CUDA_MISSING "${LibTorch_CPU_LIBRARY} has no libtorch_cuda.so and libc10_cuda.so beside it")
  return()
endif()

# Both are to use one CUDA runtime, which is named by its major version.
execute_process(COMMAND ${_nvcc} --version OUTPUT_VARIABLE _text ERROR_QUIET)
string(REGEX MATCH "release ([0-9]+)\\.([0-9]+)" _text "${_text}")
set(_major ${CMAKE_MATCH_1})
set(_version ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
file(STRINGS "${LibTorch_C10_CUDA_LIBRARY}" _runtimes REGEX "libcudart\\.so\\.[0-9]+")
string(REGEX MATCH "libcudart\\.so\\.([0-9]+)" _runtimes "${_runtimes}")
if(NOT "${CMAKE_MATCH_1}" STREQUAL "${_major}")
  set(WEIR_CUDA_MISSING "LibTorch is of CUDA ${CMAKE_MATCH_1} and ${_nvcc} of CUDA ${_version}")
  return()
endif()

if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${_nvcc})
endif()
# From Turing on, and newer ones by the PTX of the last.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real)
  if(_version VERSION_LESS 12.8)
    list(APPEND CMAKE_CUDA_ARCHITECTURES 90)
  else()
    list(APPEND CMAKE_CUDA_ARCHITECTURES 90-real 100-real 120)
  endif()
endif()
