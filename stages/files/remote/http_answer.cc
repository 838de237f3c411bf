#include "stages/files/remote/http_answer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "framework/text.h"

namespace weir {
namespace {

constexpr std::size_t kLongestValue = 1024;  // bytes in a header; no ETag has more

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string_view Trimmed(std::string_view text) {
  const auto is_blank = [](char letter) {
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
  };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Reads digits off the front of `text`; nothing where there are none, or too many.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool TakeLetter(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::uint64_t> WholeNumberIn(std::string_view text) {
  const std::optional<std::uint64_t> number = TakeNumber(text);
  return text.empty() ? number : std::nullopt;
}

std::string Range(std::uint64_t first, std::uint64_t last) {
  return std::to_string(first) + "-" + std::to_string(last);
}

std::string StatusText(const HttpAnswer& answer) {
  return "the server answered " + std::to_string(answer.status) +
         (answer.reason.empty() ? "" : " " + answer.reason);
}

// RFC 9110, section 15: what may pass by itself. 501 and 505 say what the server never does.
bool MayPass(int status) {
  if (status >= 500) return status != 501 && status != 505;
  return status == 408 || status == 425 || status == 429;
}

Verdict Changed(const std::string& what, const std::string& before, const std::string& now) {
  return {Verdict::Kind::kChanged, "its " + what + " was " + before + ", and is " + now + " now"};
}

std::optional<Verdict> WhyChanged(const HttpAnswer& answer, const RemoteStamp& stamp) {
  const RemoteStamp now = StampOf(answer);
  if (now.bytes != stamp.bytes) {
    return Changed("length", std::to_string(stamp.bytes), std::to_string(now.bytes));
  }
  if (!now.etag.empty() && !stamp.etag.empty()) {
    if (now.etag == stamp.etag) return std::nullopt;
    return Changed("ETag", Printable(stamp.etag), Printable(now.etag));
  }
  if (now.last_modified.empty() || stamp.last_modified.empty() ||
      now.last_modified == stamp.last_modified) {
    return std::nullopt;
  }
  return Changed("date", Printable(stamp.last_modified), Printable(now.last_modified));
}

Verdict JudgePart(const HttpAnswer& answer, std::uint64_t begin, std::uint64_t count) {
  const std::optional<ContentRange>& range = answer.range;
  if (!range) {
    return {Verdict::Kind::kAgain, "the server does not say which bytes it sends"};
  }
  if (!range->total) {
    return {Verdict::Kind::kRefused, "the server does not say how long the file is",
            "Serve it as a file, or copy the shard to a disk here."};
  }
  if (range->first != begin || range->last - begin >= count) {
    return {Verdict::Kind::kAgain, "the server sends the bytes " +
                                       Range(range->first, range->last) + ", and " +
                                       Range(begin, begin + count - 1) + " were asked for"};
  }
  if (answer.length && *answer.length != range->last - range->first + 1) {
    return {Verdict::Kind::kAgain, "the server announces " + std::to_string(*answer.length) +
                                       " bytes, and calls them " +
                                       Range(range->first, range->last)};
  }
  return {};
}

}  // namespace

std::optional<ContentRange> ParseContentRange(std::string_view value) {
  constexpr std::string_view kUnit = "bytes";
  value = Trimmed(value);
  if (value.size() < kUnit.size() || !EqualsIgnoringCase(value.substr(0, kUnit.size()), kUnit)) {
    return std::nullopt;
  }
  value = Trimmed(value.substr(kUnit.size()));
  const std::optional<std::uint64_t> first = TakeNumber(value);
  if (!first || !TakeLetter(value, '-')) return std::nullopt;
  const std::optional<std::uint64_t> last = TakeNumber(value);
  if (!last || *last < *first || !TakeLetter(value, '/')) return std::nullopt;
  ContentRange range{*first, *last, std::nullopt};
  if (value == "*") return range;
  range.total = WholeNumberIn(value);
  if (!range.total || *range.total <= *last) return std::nullopt;
  return range;
}

void HttpAnswer::AddLine(std::string_view line) {
  line = Trimmed(line);
  if (line.starts_with("HTTP/")) {
    *this = {};
    line = Trimmed(line.substr(std::min(line.find(' '), line.size())));
    status = static_cast<int>(TakeNumber(line).value_or(0) % 1000);
    reason = Printable(Trimmed(line));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon), value = Trimmed(line.substr(colon + 1));
  if (value.size() > kLongestValue) return;
  if (EqualsIgnoringCase(name, "content-range")) range = ParseContentRange(value);
  if (EqualsIgnoringCase(name, "content-length")) length = WholeNumberIn(value);
  if (EqualsIgnoringCase(name, "etag")) etag = value;
  if (EqualsIgnoringCase(name, "last-modified")) last_modified = value;
  if (EqualsIgnoringCase(name, "content-encoding")) {
    encoding = EqualsIgnoringCase(value, "identity") ? "" : std::string(value);
  }
  if (EqualsIgnoringCase(name, "x-amz-bucket-region")) bucket_region = Printable(value);
  if (EqualsIgnoringCase(name, "retry-after")) {
    const std::optional<std::uint64_t> seconds = WholeNumberIn(value);
    if (seconds) retry_after_s = static_cast<double>(*seconds);
  }
}

RemoteStamp StampOf(const HttpAnswer& answer) {
  RemoteStamp stamp{0, answer.etag, answer.last_modified};
  if (answer.status == 200) {
    stamp.bytes = answer.length.value_or(0);
  } else if (answer.range) {
    stamp.bytes = answer.range->total.value_or(0);
  }
  return stamp;
}

std::uint64_t AnnouncedBytes(const HttpAnswer& answer) {
  if (answer.status == 200) return answer.length.value_or(0);
  return answer.range ? answer.range->last - answer.range->first + 1 : 0;
}

Verdict Judge(const HttpAnswer& answer, std::uint64_t begin, std::uint64_t count,
              const RemoteStamp* stamp) {
  using Kind = Verdict::Kind;
  const int status = answer.status;
  if (status == 412) return {Kind::kChanged, StatusText(answer)};
  if (status == 416) return {stamp ? Kind::kChanged : Kind::kRefused, StatusText(answer)};
  if (MayPass(status)) return {Kind::kAgain, StatusText(answer)};
  if (status != 200 && status != 206) {
    const std::string remedy =
        status == 404 || status == 410 ? "Check the address."
        : !answer.bucket_region.empty()
            ? "Set AWS_REGION to the region of the bucket, " + answer.bucket_region + "."
            : "";
    return {Kind::kRefused, StatusText(answer), remedy};
  }
  if (!answer.encoding.empty()) {
    return {Kind::kRefused, "the server sends it encoded by " + Printable(answer.encoding),
            "Serve it as it is, or copy the shard to a disk here."};
  }
  if (status == 200) {
    // A server may send all of a file that is no longer than what is asked for.
    const bool is_all = begin == 0 && answer.length && *answer.length > 0 &&
                        (stamp ? *answer.length == count : *answer.length <= count);
    if (!is_all) {
      return {Kind::kRefused,
              "the server answered 200 with the whole file where a part was asked for",
              "Serve it where ranges can be asked for, or copy the shard to a disk here."};
    }
  } else if (Verdict part = JudgePart(answer, begin, count); part.kind != Kind::kTake) {
    return part;
  }
  if (stamp) return WhyChanged(answer, *stamp).value_or(Verdict{});
  return {};
}

std::string ErrorCodeIn(std::string_view body) {
  constexpr std::string_view kOpen = "<Code>", kClose = "</Code>";
  const std::size_t open = body.find(kOpen);
  if (open == std::string_view::npos) return "";
  const std::size_t begin = open + kOpen.size(), close = body.find(kClose, begin);
  if (close == std::string_view::npos) return "";
  return Printable(body.substr(begin, close - begin));
}

}  // namespace weir
