// What a web server says before the bytes of a part of a file that it was asked for (RFC 9110,
// sections 14 and 15), and whether those can be taken.
//
// It was written by a stranger: each line is read within limits, and what does not fit together is
// refused. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

// What a file on a server was when it was first looked at.
struct RemoteStamp {
  std::uint64_t bytes = 0;
  std::string etag{};           // as the server writes it, in quotes; empty where it has none
  std::string last_modified{};  // likewise

  // An ETag that stands for the very bytes (RFC 9110, section 8.8.1).
  bool has_strong_etag() const { return etag.size() > 2 && etag.front() == '"'; }
};

// "bytes 500-999/1000".
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;                // the last byte of the part itself
  std::optional<std::uint64_t> total{};  // bytes in the file; empty for "*"
};

std::optional<ContentRange> ParseContentRange(std::string_view value);

struct HttpAnswer {
  // Takes the next line of the head. A status line begins it anew, as behind a redirect.
  void AddLine(std::string_view line);

  int status = 0;
  std::string reason{};  // "Not Found", made printable
  std::optional<ContentRange> range{};
  std::optional<std::uint64_t> length{};  // bytes in the body
  std::string etag{};
  std::string last_modified{};
  std::string encoding{};                 // "gzip", where the body is compressed
  std::string bucket_region{};            // where a bucket lies that was asked for elsewhere
  std::optional<double> retry_after_s{};  // seconds that the server wants to be left alone
};

// What to do with an answer.
struct Verdict {
  enum class Kind {
    kTake,     // the bytes that follow are the ones that were asked for
    kAgain,    // the same question may have another answer later
    kChanged,  // the file is not what it was
    kRefused,  // it will be the same every time
  };
  Kind kind = Kind::kTake;
  std::string what{};    // "the server answered 404 Not Found"
  std::string remedy{};  // where that is special
};

// `count` bytes from `begin` were asked for; `stamp` is what the file was, null at the first
// question. The first part of a file may end before where the file does.
Verdict Judge(const HttpAnswer& answer, std::uint64_t begin, std::uint64_t count,
              const RemoteStamp* stamp);

// What an answer that is taken says of the file: its length, its ETag and its date.
RemoteStamp StampOf(const HttpAnswer& answer);

// How many bytes follow it, no more than were asked for.
std::uint64_t AnnouncedBytes(const HttpAnswer& answer);

// "AccessDenied", out of the XML that S3 explains an error with; empty where there is none.
std::string ErrorCodeIn(std::string_view body);

}  // namespace weir
