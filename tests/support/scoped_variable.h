// A variable of the environment that is set while this lives, and then what it was before.
//
//   const ScopedVariable cache("WEIR_CACHE", (scratch / "cache").c_str());
#pragma once

#include <stdlib.h>

#include <optional>
#include <string>

namespace weir {

class ScopedVariable {
 public:
  // Null removes it.
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace weir
