// Text made fit to be printed, whoever wrote it: names of files, names in files, values of a
// configuration. A character is one of UTF-8's; what is not UTF-8 counts byte by byte.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

std::size_t CountCharacters(std::string_view text);

// `count` characters of `text` from character `first`, or as many as there are.
std::string_view Characters(std::string_view text, std::size_t first, std::size_t count);

// The byte at which `text` stops being UTF-8 text (or holds a control character); npos where it
// is text throughout.
std::size_t FindNonText(std::string_view text);

// A value inside a message, in backticks: control characters as \x1b, cut after 60 characters.
std::string InBackticks(std::string_view value);

// A path as it is printed: control characters as \x1b, so that no name breaks a line or speaks to
// the terminal; all other bytes as they are, however many.
std::string OneLine(std::string_view path);

// A name out of a file that nobody vouches for, in one line of a message: control characters become
// '?', and what is longer than 80 bytes ends, behind a whole character, in "...".
std::string Printable(std::string_view name);

// A line as a terminal shows it: what is not text becomes '?', a tab one space. As many bytes as
// `line`.
std::string TerminalLine(std::string_view line);

// "1.5 MB": decimal units, as disks and downloads are sold.
std::string PrintableBytes(double bytes);

}  // namespace weir
