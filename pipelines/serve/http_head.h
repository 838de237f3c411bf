// The head of a request as it came, before cpp-httplib takes it apart: that keeps every header,
// grows with every line, and matches some with std::regex, which recurses. What passes here is
// bounded: 8 KiB, 100 headers, a target of 1 KiB.
#pragma once

#include <cstddef>
#include <span>

namespace weir {

inline constexpr std::size_t kMostHeadBytes = 8192;
inline constexpr int kMostHeaders = 100;
inline constexpr std::size_t kMostTargetBytes = 1024;

// The length of the head that `received` begins with, its blank line included; 0 where it has not
// come to its end.
std::size_t HeadLength(std::span<const char> received);

struct HeadFindings {
  int refusal = 0;  // 0, or the status that says what is wrong with it
  bool expects_continue = false;
};

// Looks through a whole head. Headers that mean nothing here, and would have the library work, are
// renamed in place: Range, Accept-Encoding, and Expect, which the server itself answers.
HeadFindings CheckHead(std::span<char> head);

}  // namespace weir
