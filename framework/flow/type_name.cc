#include "framework/flow/type_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace weir {

std::string TypeName(const char* type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type;
}

bool IsSameType(const char* one, const char* other) { return std::strcmp(one, other) == 0; }

}  // namespace weir
