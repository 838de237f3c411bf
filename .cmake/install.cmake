# What `cmake --install` and `cpack` give: the program with the libraries that bootstrap.sh fetched, the framework's
# headers and library for plugins and programs of one's own, libweir, the CMake package and pkg-config's files.
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Where libraries are installed")  # not Debian's lib/<triplet>: one tree, to be moved
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(private_libraries ${CMAKE_INSTALL_LIBDIR}/weir)
set_target_properties(weir PROPERTIES INSTALL_RPATH "$ORIGIN/../${private_libraries}")
install(TARGETS weir RUNTIME_DEPENDENCY_SET weir_libraries DESTINATION ${CMAKE_INSTALL_BINDIR})
set_target_properties(weir_torch PROPERTIES INSTALL_RPATH "$ORIGIN/weir")
install(TARGETS weir_torch RUNTIME_DEPENDENCY_SET weir_libraries
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})  # where the program looks, too
# Those that are no package of the distribution's.
cmake_path(GET LibTorch_CPU_LIBRARY PARENT_PATH libtorch)
cmake_path(GET OneDnn_LIBRARY PARENT_PATH onednn)
set(own_folders ${PROJECT_SOURCE_DIR}/.deps ${libtorch} ${onednn})
list(FILTER own_folders EXCLUDE REGEX "^/(usr/)?lib")
list(TRANSFORM own_folders REPLACE "([.+])" "\\\\\\1")
list(TRANSFORM own_folders PREPEND "^" )
list(TRANSFORM own_folders APPEND "/.*")
install(RUNTIME_DEPENDENCY_SET weir_libraries
  POST_INCLUDE_REGEXES ${own_folders}
  POST_EXCLUDE_REGEXES ".*"
  DIRECTORIES ${libtorch} ${onednn}
  DESTINATION ${private_libraries})
# The device side on its own, as it takes gigabytes: `cmake --install build --component cuda`, into the same prefix.
if(TARGET weir_cuda)
  set_target_properties(weir_cuda PROPERTIES INSTALL_RPATH "$ORIGIN/weir")
  install(TARGETS weir_cuda
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cuda EXCLUDE_FROM_ALL)  # where the program looks, too
  # LibTorch's half, and CUDA's libraries where bootstrap.sh fetched them: each is found from beside the others.
  file(GLOB cuda_libraries
    ${libtorch}/libtorch_cuda.so ${libtorch}/libc10_cuda.so ${libtorch}/libtorch_nvshmem.so
    ${PROJECT_SOURCE_DIR}/.deps/nvidia/*/lib/lib*.so*)
  install(FILES ${cuda_libraries} DESTINATION ${private_libraries} COMPONENT cuda EXCLUDE_FROM_ALL)
endif()

# A saved model in somebody else's program.
set_target_properties(weir_runtime PROPERTIES INSTALL_RPATH "$ORIGIN/weir")
install(TARGETS weir_runtime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/pipelines/library/weir.h ${PROJECT_SOURCE_DIR}/pipelines/library/weir.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/pipelines/library/classify.c DESTINATION ${CMAKE_INSTALL_DATADIR}/weir/examples)

install(TARGETS weir_framework ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
get_property(headers GLOBAL PROPERTY WEIR_PLUGIN_HEADERS)
foreach(header IN LISTS headers)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir/${folder})
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/generated/framework/plugin/interface_id.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir/framework/plugin)
install(FILES ${PROJECT_SOURCE_DIR}/framework/plugin/plugin_entry.cc DESTINATION ${CMAKE_INSTALL_DATADIR}/weir)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION ${CMAKE_INSTALL_DATADIR}/weir)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
configure_package_config_file(${PROJECT_SOURCE_DIR}/.cmake/weir-config.cmake.in ${PROJECT_BINARY_DIR}/weir-config.cmake
  INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weir-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weir-config.cmake ${PROJECT_BINARY_DIR}/weir-config-version.cmake
  ${PROJECT_SOURCE_DIR}/.cmake/weir_add_plugin.cmake DESTINATION ${package})
foreach(name weir weir-runtime)
  configure_file(${PROJECT_SOURCE_DIR}/.cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_CONTACT "weir")
set(CPACK_PACKAGE_FILE_NAME weir-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_THREADS 0)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)  # for half a gigabyte gzip takes half a minute, xz minutes
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, cmake, pkg-config, libtbb-dev, libyaml-cpp-dev")  # for plugins
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${libtorch} ${onednn})
include(CPack)
