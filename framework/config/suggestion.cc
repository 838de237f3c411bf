#include "framework/config/suggestion.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weir {
namespace {

std::string Lowercase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::optional<std::string> Suggest(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t kMostEdits = 3;
  constexpr std::size_t kLongestWord = 128;  // no key is longer; bounds the work on garbage
  if (word.size() > kLongestWord) return std::nullopt;
  const std::size_t most = std::clamp<std::size_t>(word.size() / 3, 1, kMostEdits);
  const std::string lower = Lowercase(word);
  const std::string* nearest = nullptr;
  std::size_t nearest_distance = most + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = EditDistance(lower, Lowercase(candidate));
    if (distance < nearest_distance && distance < candidate.size()) {
      nearest = &candidate;
      nearest_distance = distance;
    }
  }
  return nearest ? std::optional(*nearest) : std::nullopt;
}

std::string DidYouMean(std::string_view word, std::span<const std::string> known) {
  const std::optional<std::string> meant = Suggest(word, known);
  return meant ? "; did you mean `" + *meant + "`?" : "";
}

std::string Enumerate(std::span<const std::string> words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " " + std::string(last) + " " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace weir
