#include "framework/printable.h"

#include <array>
#include <cstdio>

namespace weir {

std::string Printable(std::string_view text) {
  constexpr std::size_t kMostBytes = 80;
  std::string shown(text.substr(0, kMostBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  if (text.size() > kMostBytes) shown += "...";
  return shown;
}

std::string PrintableBytes(double bytes) {
  constexpr std::array kUnits = {"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text.data();
}

}  // namespace weir
