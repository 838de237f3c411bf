#include "framework/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace weir {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool IsControl(unsigned char c) { return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F; }

bool IsAsciiControl(unsigned char c) { return c < 0x20 || c == 0x7F; }

std::string Escaped(unsigned char byte) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\x%02x", byte);
  return text.data();
}

// Bytes of the UTF-8 sequence at `at`, 0 where there is none (RFC 3629: no overlong forms, no
// surrogates, nothing past U+10FFFF) or where it is a control character.
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return IsControl(static_cast<unsigned char>(lead)) ? 0 : 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  if (lead == 0xC2 && second < 0xA0) return 0;  // C1 controls
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90)) return 0;
  return length;
}

}  // namespace

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string_view Characters(std::string_view text, std::size_t first, std::size_t count) {
  const auto byte_of = [text](std::size_t character) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
      if (!IsContinuation(text[at]) && character-- == 0) break;
    }
    return at;
  };
  const std::size_t begin = byte_of(first);
  return text.substr(begin, byte_of(first + count) - begin);
}

std::size_t FindNonText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = SequenceLength(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string InBackticks(std::string_view value) {
  constexpr std::size_t kMostCharacters = 60;
  const std::string_view start = Characters(value, 0, kMostCharacters);
  std::string text = "`";
  for (std::size_t at = 0; at < start.size();) {
    const std::size_t length =
        start[at] == '\t' || start[at] == '\n' ? 0 : SequenceLength(start, at);
    text += length == 0 ? Escaped(static_cast<unsigned char>(start[at]))
                        : std::string(start.substr(at, length));
    at += std::max<std::size_t>(length, 1);
  }
  if (start.size() < value.size()) text += "...";
  return text + "`";
}

std::string OneLine(std::string_view path) {
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    text += IsAsciiControl(byte) ? Escaped(byte) : std::string(1, c);
  }
  return text;
}

std::string Printable(std::string_view name) {
  constexpr std::size_t kMostBytes = 80;
  std::size_t end = std::min(name.size(), kMostBytes);
  const std::size_t least =
      end - std::min<std::size_t>(end, 3);  // a character has four bytes at most
  while (end < name.size() && end > least && IsContinuation(name[end])) --end;
  std::string shown(name.substr(0, end));
  for (char& c : shown) {
    if (IsAsciiControl(static_cast<unsigned char>(c))) c = '?';
  }
  if (end < name.size()) shown += "...";
  return shown;
}

std::string TerminalLine(std::string_view line) {
  std::string shown(line);
  for (std::size_t at = 0; at < shown.size();) {
    const std::size_t length = SequenceLength(shown, at);
    if (length == 0) shown[at] = '?';
    if (shown[at] == '\t') shown[at] = ' ';
    at += std::max<std::size_t>(length, 1);
  }
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
