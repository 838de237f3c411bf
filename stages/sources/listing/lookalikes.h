// When two names of classes are the same, and how a message shows what an eye cannot see.
//
// macOS writes "ü" as two characters (NFD), Linux and Windows as one (NFC): such names look alike,
// mean the same, and are the same class here (Unicode Standard Annex #15). Nothing else is taken
// for the same; but names that differ in case, blanks or invisible characters alone are told of.
//
// Pure; any thread. Names without a byte above 0x7F cost a look at each byte.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// The name in NFC, by which names are compared; unchanged where it is not UTF-8.
std::string Composed(std::string_view name);

// Whether messages, files and terminals can have it: UTF-8 without control characters.
bool IsText(std::string_view name);

// In quotes, characters that cannot be seen as escapes: "'cats\u200b'", "'cats\u00a0'". A blank at
// an end is one, too: "'cats\u0020'".
std::string Shown(std::string_view name);

// Several of them: "'ants', 'bees' and 97 more".
std::string ShownList(std::span<const std::string> names, std::size_t most = 10);

// The same for all names that look alike, in whatever case, blanks and characters that cannot be
// seen.
std::string Skeleton(std::string_view name);

// How two names differ that are easily taken for the same: "in case alone", "in blanks alone",
// "in a character that cannot be seen"; empty where they do not look alike, or are the same.
std::string_view DifferenceOf(std::string_view one, std::string_view other);

// The one among `known` that `name` was meant to be: one that looks alike, else a near one.
std::optional<std::string> MeantClass(std::string_view name, std::span<const std::string> known);
// "Did you mean 'cats'?", or what else there is to say of such a name: "The names differ in case
// alone: 'Cats' and 'cats'." Empty where none is near.
std::string RemedyForClass(std::string_view name, std::span<const std::string> known);

// A sentence for each of the first pairs of classes that look alike.
std::vector<std::string> NotesOnLookalikes(std::span<const std::string> classes);
// A sentence for each of the first classes that are several others, joined by ";", "," or "|": the
// table may give a picture several labels, and here it has one.
std::vector<std::string> NotesOnJoinedClasses(std::span<const std::string> classes);

}  // namespace weir
