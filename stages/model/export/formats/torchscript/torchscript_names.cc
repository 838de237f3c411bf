#include "stages/model/export/formats/torchscript/torchscript_names.h"

#include <algorithm>

namespace weir {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string TorchscriptNames::Make(std::string_view name) {
  std::string made(name);
  std::ranges::replace_if(
      made, [](char c) { return !IsDigit(c) && !IsLetter(c); }, '_');
  if (made.empty() || IsDigit(made[0])) made.insert(0, 1, '_');
  while (!taken_.insert(made).second) made += '_';
  return made;
}

}  // namespace weir
