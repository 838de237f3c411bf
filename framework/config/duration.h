// Lengths of time as people write them: 90s, 1.5min, 250ms, 2h; a number alone is seconds.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <variant>

namespace weir {

struct Duration {
  double seconds = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};

// Reads a number that is not negative and a unit (ms, s, min, h or d) after at most one space.
// Returns the duration, or why there is none.
std::variant<Duration, std::string> ParseDuration(std::string_view text);

// Read back to the same: "90s", "5min", "1.5h"; in the largest unit of which it is a half or more.
std::string ToText(Duration duration);

}  // namespace weir
