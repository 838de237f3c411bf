#include "framework/byte_size.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

namespace weir {
namespace {

constexpr std::uint64_t kKi = 1024;
constexpr std::uint64_t kK = 1000;
constexpr std::size_t kMostDecimals = 6;  // a TiB times 10^6 still fits in 64 bits

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<Unit, 9> kUnits{{{"TiB", kKi* kKi* kKi* kKi},
                                      {"GiB", kKi* kKi* kKi},
                                      {"MiB", kKi* kKi},
                                      {"KiB", kKi},
                                      {"TB", kK* kK* kK* kK},
                                      {"GB", kK* kK* kK},
                                      {"MB", kK* kK},
                                      {"KB", kK},
                                      {"B", 1}}};
constexpr std::size_t kBinaryUnits = 4;  // the first of kUnits

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> UnitNamed(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.size() != unit.name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < text.size(); ++i) same &= Upper(text[i]) == Upper(unit.name[i]);
    if (same) return unit.bytes;
  }
  return std::nullopt;
}

std::string_view TakeDigits(std::string_view& rest) {
  std::size_t count = 0;
  while (count < rest.size() && IsDigit(rest[count])) ++count;
  const std::string_view digits = rest.substr(0, count);
  rest.remove_prefix(count);
  return digits;
}

std::string Quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string UnknownUnit(std::string_view text, std::string_view number, std::string_view unit) {
  constexpr std::string_view kPrefixes = "KMGT";
  const char prefix = unit.empty() ? '\0' : Upper(unit[0]);
  if (unit.size() <= 2 && kPrefixes.find(prefix) != std::string_view::npos) {
    const std::string stem = std::string(number) + prefix;
    return Quoted(text) + " has no unit that weir knows; write " + stem + "iB or " + stem + "B";
  }
  return Quoted(text) + " has no unit that weir knows; write MiB, GiB, MB or GB";
}

}  // namespace

std::variant<ByteSize, std::string> ParseByteSize(std::string_view text) {
  std::string_view rest = text;
  const std::string_view whole = TakeDigits(rest);
  std::string_view decimals;
  if (!whole.empty() && rest.size() > 1 && rest[0] == '.' && IsDigit(rest[1])) {
    rest.remove_prefix(1);
    decimals = TakeDigits(rest);
  }
  if (whole.empty()) return Quoted(text) + " is not a size such as 512MiB";
  const std::string_view number = text.substr(0, text.size() - rest.size());
  if (rest.size() > 1 && rest[0] == ' ') rest.remove_prefix(1);

  const std::optional<std::uint64_t> unit =
      rest.empty() ? std::optional(kUnits.back().bytes) : UnitNamed(rest);
  if (!unit) return UnknownUnit(text, number, rest);
  if (!decimals.empty() && *unit == 1) return Quoted(text) + " is not a whole number of bytes";
  if (decimals.size() > kMostDecimals) return Quoted(text) + " has more than six decimals";

  std::uint64_t count = 0;
  const bool fits =
      std::from_chars(whole.data(), whole.data() + whole.size(), count).ec == std::errc();
  std::uint64_t fraction = 0;
  std::uint64_t scale = 1;
  for (char digit : decimals) {
    fraction = fraction * 10 + static_cast<std::uint64_t>(digit - '0');
    scale *= 10;
  }
  const std::uint64_t extra = fraction * *unit / scale;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (!fits || count > (kMost - extra) / *unit) return Quoted(text) + " is too large";
  return ByteSize{count * *unit + extra};
}

std::string ToText(ByteSize size) {
  for (std::size_t i = 0; i < kBinaryUnits && size.bytes > 0; ++i) {
    const std::uint64_t unit = kUnits[i].bytes;
    const std::string name(kUnits[i].name);
    if (size.bytes % unit == 0) return std::to_string(size.bytes / unit) + name;
    if (size.bytes > unit && size.bytes % (unit / 2) == 0) {
      return std::to_string(size.bytes / unit) + ".5" + name;
    }
  }
  return std::to_string(size.bytes);
}

std::string ToWholeMebibytes(ByteSize size) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  return std::to_string(size.bytes / kMiB + (size.bytes % kMiB != 0)) + "MiB";
}

std::string ToRoundText(ByteSize size) {
  for (std::size_t i = 0; i < kBinaryUnits; ++i) {
    // 1023.6 MiB would be printed as 1024 MiB: it is 1 GiB to three digits.
    const double count = static_cast<double>(size.bytes) / static_cast<double>(kUnits[i].bytes);
    if (count < 1023.5 / 1024) continue;
    std::array<char, 32> text;
    const int decimals = count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2;
    std::snprintf(text.data(), text.size(), "%.*f ", decimals, count);
    return text.data() + std::string(kUnits[i].name);
  }
  return std::to_string(size.bytes) + " B";
}

}  // namespace weir
