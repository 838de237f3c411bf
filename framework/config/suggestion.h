// "Did you mean": the known word that a mistyped one was probably meant to be.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
// (Damerau-Levenshtein, optimal string alignment). Counts bytes. O(|a|·|b|) time, O(|b|) memory.
std::size_t EditDistance(std::string_view a, std::string_view b);

// The nearest of `known`, the first one of equals; nullopt where none is near: at most three edits,
// and at most one for each three letters of `word`, or `path` would be taken for `size`. Case does
// not count as a difference.
std::optional<std::string> Suggest(std::string_view word, std::span<const std::string> known);

// "; did you mean `epochs`?", or nothing: the end of a message.
std::string DidYouMean(std::string_view word, std::span<const std::string> known);

// "a, b and c", for messages that list what there is; `last` stands before the last one.
std::string Enumerate(std::span<const std::string> words, std::string_view last = "and");

}  // namespace weir
