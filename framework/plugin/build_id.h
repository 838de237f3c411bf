// What has to be the same for two shared objects to hand C++ objects to each other: weir's version
// and the headers of its interface, the compiler and its standard library. Two texts are compared,
// and shown where they differ.
#pragma once

#include <string>  // for _GLIBCXX_USE_CXX11_ABI

#include "framework/plugin/interface_id.h"  // made by the build: WEIR_INTERFACE_ID

#define WEIR_AS_TEXT(value) #value
#define WEIR_VALUE_AS_TEXT(value) WEIR_AS_TEXT(value)
#ifdef _GLIBCXX_USE_CXX11_ABI
#define WEIR_STRING_ABI WEIR_VALUE_AS_TEXT(_GLIBCXX_USE_CXX11_ABI)
#else
#define WEIR_STRING_ABI "none"
#endif

#define WEIR_BUILD_ID \
  "weir " WEIR_INTERFACE_ID ", compiler " __VERSION__ ", C++11 ABI " WEIR_STRING_ABI
