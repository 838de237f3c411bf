// The head of a server's answer, and the body of an error.
#include <algorithm>

#include "stages/files/remote/http_answer.h"
#include "tests/fuzz/fuzz_target.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  return {
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 100-199/1000\r\n"
      "Content-Length: 100\r\nETag: \"one\"\r\nLast-Modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n",
      "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nHTTP/2 206\r\ncontent-range: bytes 0-9/*\r\n"
      "etag: W/\"one\"\r\n",
      "HTTP/1.1 503 Slow Down\r\nRetry-After: 120\r\n\r\n<Error><Code>SlowDown</Code></Error>",
      "HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-3\r\nContent-Encoding: gzip\r\n",
      "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */1000\r\n",
  };
}

void FuzzRead(std::string_view bytes) {
  ErrorCodeIn(bytes);
  ParseContentRange(bytes);
  HttpAnswer answer;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    answer.AddLine(bytes.substr(0, end));
    bytes.remove_prefix(end);
  }
  const RemoteStamp stamp{1000, "\"one\"", ""};
  for (const RemoteStamp* before : {static_cast<const RemoteStamp*>(nullptr), &stamp}) {
    for (const std::uint64_t begin : {std::uint64_t{0}, std::uint64_t{100}}) {
      const Verdict verdict = Judge(answer, begin, 100, before);
      // What is taken lies in what was asked for, and in the file.
      if (verdict.kind != Verdict::Kind::kTake) continue;
      const std::uint64_t last =
          answer.range && answer.status == 206 ? answer.range->last : *answer.length - 1;
      if (last < begin || last >= begin + 100 || last >= StampOf(answer).bytes) __builtin_trap();
    }
  }
}

}  // namespace weir
