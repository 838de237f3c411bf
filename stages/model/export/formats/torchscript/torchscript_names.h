// Names for TorchScript: letters, digits and underscores, each name given once.
//
// One thread at a time. Holds the names.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

namespace weir {

class TorchscriptNames {
 public:
  TorchscriptNames(std::initializer_list<std::string> taken) : taken_(taken) {}

  // "head_1" for "head.1"; where that is taken, "head_1_".
  std::string Make(std::string_view name);

 private:
  std::set<std::string> taken_;
};

}  // namespace weir
