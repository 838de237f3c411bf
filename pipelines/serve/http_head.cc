#include "pipelines/serve/http_head.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace weir {
namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";

bool IsControl(char letter) {
  return (static_cast<unsigned char>(letter) < ' ' && letter != '\t') || letter == '\x7f';
}

// RFC 9110, 5.6.2.
bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos;
  });
}

bool IsEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Whether one of the members of a list, "keep-alive, Upgrade", is that.
bool Lists(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (IsEqual(Trimmed(list.substr(0, end)), member)) return true;
    list.remove_prefix(std::min(list.size(), end + 1));
  }
  return false;
}

class HeadReader {
 public:
  explicit HeadReader(std::span<char> head) : head_(head) {}

  RequestHead Read() {
    std::string_view rest(head_.data(), head_.size());
    ReadRequestLine(rest.substr(0, rest.find(kLineEnd)));
    rest.remove_prefix(std::min(rest.size(), rest.find(kLineEnd) + kLineEnd.size()));
    int headers = 0;
    while (found_.refusal == 0 && !rest.starts_with(kLineEnd)) {
      if (++headers > kMostHeaders) {
        Refuse(431, "a request may have 100 headers");
        break;
      }
      const std::string_view line = rest.substr(0, rest.find(kLineEnd));
      ReadHeader(line);
      rest.remove_prefix(line.size() + kLineEnd.size());
    }
    if (hosts_ != 1 && !is_old_) Refuse(400, "a request has one Host");
    found_.is_last = closes_ || (is_old_ && !keeps_alive_);
    if (is_old_) found_.expects_continue = false;
    return found_;
  }

 private:
  // The first reason counts.
  void Refuse(int status, const char* why) {
    if (found_.refusal == 0) found_ = {.refusal = status, .why = why};
  }

  // "GET /v2 HTTP/1.1"
  void ReadRequestLine(std::string_view line) {
    constexpr std::array<std::string_view, 7> kMethods = {"GET",    "HEAD",    "POST", "PUT",
                                                          "DELETE", "OPTIONS", "PATCH"};
    const std::size_t target = line.find(' ') + 1, version = line.rfind(' ') + 1;
    if (target == 0 || version <= target || !IsToken(line.substr(0, target - 1))) {
      return Refuse(400, "the request has no line of method, target and version");
    }
    const std::string_view path = line.substr(target, version - 1 - target);
    if (path.size() > kMostTargetBytes) return Refuse(414, "a target may have 1 KiB");
    if (path.empty() || path.find_first_of(" \t") != std::string_view::npos) {
      return Refuse(400, "the request has no line of method, target and version");
    }
    is_old_ = line.substr(version) == "HTTP/1.0";
    if (!is_old_ && line.substr(version) != "HTTP/1.1") {
      return Refuse(505, "the request is not of HTTP/1.1");
    }
    if (std::ranges::find(kMethods, line.substr(0, target - 1)) == kMethods.end()) {
      Refuse(501, "the request is of an unknown method");
    }
  }

  void ReadHeader(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return Refuse(400, "a line of the head has no name and value");
    }
    const std::string_view name = line.substr(0, colon), value = Trimmed(line.substr(colon + 1));
    const auto is = [name](std::string_view other) { return IsEqual(name, other); };
    if (is("Host")) ++hosts_;
    if (is("Connection")) {
      closes_ = closes_ || Lists(value, "close");
      keeps_alive_ = keeps_alive_ || Lists(value, "keep-alive");
    }
    if (is("Transfer-Encoding")) found_.is_encoded = true;
    if (is("Content-Length")) ReadLength(value);
    if (is("Expect")) found_.expects_continue = IsEqual(value, "100-continue");
    if (is("Range") || is("Accept-Encoding") || is("Expect")) {
      head_[static_cast<std::size_t>(line.data() - head_.data())] = 'X';
    }
  }

  void ReadLength(std::string_view value) {
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bytes);
    if (value.empty() || end != value.data() + value.size()) {
      return Refuse(400, "Content-Length is no number");
    }
    if (error == std::errc::result_out_of_range) return Refuse(413, "the body is too large");
    if (found_.body_bytes) return Refuse(400, "a request has one Content-Length");
    found_.body_bytes = bytes;
  }

  const std::span<char> head_;
  RequestHead found_;
  int hosts_ = 0;
  bool is_old_ = false;  // HTTP/1.0
  bool closes_ = false, keeps_alive_ = false;
};

}  // namespace

std::size_t HeadLength(std::span<const char> received) {
  const std::string_view text(received.data(), received.size());
  const std::size_t end = text.find(kBlankLine);
  return end == std::string_view::npos ? 0 : end + kBlankLine.size();
}

bool MayBeginHead(std::span<const char> received) {
  for (std::size_t i = 0; i < received.size(); ++i) {
    const char letter = received[i];
    if (letter == '\r') {
      if (i + 1 < received.size() && received[i + 1] != '\n') return false;
    } else if (letter == '\n') {
      if (i == 0 || received[i - 1] != '\r') return false;
    } else if (IsControl(letter)) {
      return false;
    }
  }
  return true;
}

RequestHead ReadRequestHead(std::span<char> head) {
  if (!MayBeginHead(head)) {
    return {.refusal = 400, .why = "the head of a request is text whose lines end in CR LF"};
  }
  return HeadReader(head).Read();
}

}  // namespace weir
