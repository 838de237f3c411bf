// How many trials a test makes and from which seed, where a person wants others than usual.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace weir {

// The number in the environment's variable `name`, or `otherwise` where that is not set.
inline std::size_t EnvironmentNumber(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace weir
