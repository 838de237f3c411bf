#include "framework/config/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array<Unit, 5> kUnits{
    {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}, {"ms", 0.001}}};

std::string Quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

}  // namespace

std::variant<Duration, std::string> ParseDuration(std::string_view text) {
  double count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest_begin, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || !std::isfinite(count)) {
    return Quoted(text) + " is not a length of time such as 90s";
  }
  if (count < 0) return Quoted(text) + " is negative";
  std::string_view rest(rest_begin, static_cast<std::size_t>(end - rest_begin));
  if (rest.empty()) return Duration{count};
  if (rest.size() > 1 && rest[0] == ' ') rest.remove_prefix(1);
  for (const Unit& unit : kUnits) {
    if (rest == unit.name) return Duration{count * unit.seconds};
  }
  return Quoted(text) + " has no unit that weir knows; write ms, s, min, h or d";
}

std::string ToText(Duration duration) {
  const auto in = [&](const Unit& unit) {
    std::array<char, 32> digits;
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(),
                                       duration.seconds / unit.seconds);
    return std::string(digits.data(), written.ptr) + std::string(unit.name);
  };
  for (const Unit& unit : kUnits) {
    const double halves = duration.seconds / unit.seconds * 2;
    std::string text = in(unit);
    const bool is_exact = std::get<Duration>(ParseDuration(text)) == duration;
    if (halves >= 1 && halves == std::floor(halves) && is_exact) return text;
  }
  return in(kUnits[3]);
}

}  // namespace weir
