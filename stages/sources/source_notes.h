// What a source found while it listed its pictures, that is no error and should not go unsaid:
// files that were left out, classes that look alike. Provided by the source; `check` and the
// beginning of a run show it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stages/sources/listing/left_out.h"

namespace weir {

struct SourceNotes {
  static constexpr std::string_view kResource = "notes on the data";
  LeftOut left_out{};
  std::vector<std::string> notes{};  // a sentence each

  // All of it, a line each.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines = notes;
    if (!left_out.empty()) lines.insert(lines.begin(), left_out.Text());
    return lines;
  }
};

}  // namespace weir
