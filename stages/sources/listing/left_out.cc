#include "stages/sources/listing/left_out.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/config/suggestion.h"
#include "stages/sources/listing/endings.h"

namespace weir {
namespace {

constexpr std::size_t kMostKinds = 1000;
constexpr const char* kOtherEndings = "of other endings";
constexpr std::size_t kKindsShown = 8;
constexpr std::size_t kLongestEnding = 10;  // in letters: behind other dots stands a sentence's end

bool IsEndingLetter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '~';
}

// ".txt" of "notes.TXT"; empty where there is none.
std::string_view EndingOf(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return "";
  const std::string_view letters = name.substr(dot + 1);
  const bool is_one = !letters.empty() && letters.size() <= kLongestEnding &&
                      std::all_of(letters.begin(), letters.end(),
                                  [](char c) { return IsEndingLetter(LowerCase(c)); });
  return is_one ? name.substr(dot) : "";
}

std::string KindOf(std::string_view name) {
  std::string_view ending = EndingOf(name);
  if (ending.empty()) return "without an ending";
  const bool is_number = ending.find_first_not_of("0123456789", 1) == std::string_view::npos;
  if (is_number) {
    const std::size_t before = EndingOf(name.substr(0, name.size() - ending.size())).size();
    ending = name.substr(name.size() - ending.size() - before);
  }
  return LowerCase(std::string(ending));
}

std::string Counted(const std::string& kind, std::uint64_t count) {
  const bool is_noun = kind.find_first_of(". ") == std::string::npos;
  return std::to_string(count) + " " + kind + (is_noun && count > 1 ? "s" : "");
}

}  // namespace

void LeftOut::AddFile(std::string_view name) {
  const std::string kind = KindOf(name);
  const bool has_room = by_kind_.size() < kMostKinds || by_kind_.contains(kind);
  Add(has_room ? kind : kOtherEndings);
}

void LeftOut::Add(const std::string& kind, std::uint64_t count) {
  if (count > 0) by_kind_[kind] += count;
}

void LeftOut::Add(const LeftOut& more) {
  for (const auto& [kind, count] : more.by_kind_) Add(kind, count);
}

std::uint64_t LeftOut::total() const {
  std::uint64_t total = 0;
  for (const auto& [kind, count] : by_kind_) total += count;
  return total;
}

std::string LeftOut::Kinds() const {
  std::uint64_t others = 0;
  std::vector<std::pair<std::string, std::uint64_t>> kinds;
  for (const auto& [kind, count] : by_kind_) {
    if (kind == kOtherEndings)
      others = count;
    else
      kinds.emplace_back(kind, count);
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (; kinds.size() > kKindsShown; kinds.pop_back()) others += kinds.back().second;
  std::sort(kinds.begin(), kinds.end());
  std::vector<std::string> texts;
  for (const auto& [kind, count] : kinds) texts.push_back(Counted(kind, count));
  if (others > 0) texts.push_back(Counted("other", others));
  return Enumerate(texts);
}

std::string LeftOut::Text() const {
  if (empty()) return "";
  const std::uint64_t count = total();
  return std::to_string(count) + (count == 1 ? " file was" : " files were") +
         " left out: " + Kinds();
}

}  // namespace weir
