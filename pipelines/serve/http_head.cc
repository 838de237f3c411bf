#include "pipelines/serve/http_head.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace weir {
namespace {

constexpr std::string_view kBlankLine = "\r\n\r\n";
constexpr int kBadRequest = 400, kTargetTooLong = 414, kHeadTooLarge = 431;

bool IsHeader(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         strncasecmp(line.data(), name.data(), name.size()) == 0;
}

// "GET /v2 HTTP/1.1"
bool IsTargetTooLong(std::string_view request_line) {
  const std::size_t begin = request_line.find(' ');
  if (begin == std::string_view::npos) return false;
  const std::size_t end = std::min(request_line.find(' ', begin + 1), request_line.size());
  return end - begin - 1 > kMostTargetBytes;
}

}  // namespace

std::size_t HeadLength(std::span<const char> received) {
  const std::string_view text(received.data(), received.size());
  const std::size_t end = text.find(kBlankLine);
  return end == std::string_view::npos ? 0 : end + kBlankLine.size();
}

HeadFindings CheckHead(std::span<char> head) {
  constexpr std::array<std::string_view, 3> kRenamed = {"Range", "Accept-Encoding", "Expect"};
  HeadFindings findings;
  int lines = 0;
  for (std::size_t begin = 0; begin + 2 < head.size(); ++lines) {
    const std::string_view rest(head.data() + begin, head.size() - begin);
    const std::size_t end = rest.find('\n');
    // A line that others end elsewhere would make two requests of one.
    if (end == 0 || end == std::string_view::npos || rest[end - 1] != '\r') return {kBadRequest};
    const std::string_view line = rest.substr(0, end - 1);
    if (line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos) {
      return {kBadRequest};
    }
    if (lines == 0 && IsTargetTooLong(line)) return {kTargetTooLong};
    if (lines > kMostHeaders) return {kHeadTooLarge};
    if (lines > 0 && IsHeader(line, "Expect")) findings.expects_continue = true;
    const bool is_renamed = lines > 0 && std::ranges::any_of(kRenamed, [&](std::string_view name) {
                              return IsHeader(line, name);
                            });
    if (is_renamed) head[begin] = 'X';
    begin += end + 1;
  }
  return findings;
}

}  // namespace weir
