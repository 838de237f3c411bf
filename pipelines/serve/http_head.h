// The head of a request as it came, before cpp-httplib takes it apart: that keeps every header,
// grows with every line, matches some with std::regex, which recurses, decodes values as if they
// were URLs, and reads lines that others read otherwise. What passes here is bounded (8 KiB, 100
// headers, a target of 1 KiB) and of the form of RFC 9112, and where its body ends is told here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace weir {

inline constexpr std::size_t kMostHeadBytes = 8192;
inline constexpr int kMostHeaders = 100;
inline constexpr std::size_t kMostTargetBytes = 1024;

// The length of the head that `received` begins with, its blank line included; 0 where it has not
// come to its end.
std::size_t HeadLength(std::span<const char> received);

// Whether that may be the beginning of a head: text, whose lines end in CR LF.
bool MayBeginHead(std::span<const char> received);

struct RequestHead {
  int refusal = 0;       // 0, or the status that says what is wrong with it
  const char* why = "";  // in words, where it is refused

  std::optional<std::uint64_t> body_bytes{};  // its Content-Length, where it has one
  bool is_encoded = false;                    // it has Transfer-Encoding: nobody knows its end
  bool expects_continue = false;
  bool is_last = false;  // the sender wants no more on this connection
};

// Reads a whole head. Headers that mean nothing here, and would have the library work, are renamed
// in place: Range, Accept-Encoding, and Expect, which the server itself answers.
RequestHead ReadRequestHead(std::span<char> head);

}  // namespace weir
