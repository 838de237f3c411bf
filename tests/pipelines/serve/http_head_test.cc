#include "pipelines/serve/http_head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir {
namespace {

RequestHead Read(std::string head) { return ReadRequestHead(head); }

// A head with these lines behind the usual ones.
std::string With(const std::string& lines, const std::string& first = "POST /a HTTP/1.1") {
  return first + "\r\nHost: a\r\n" + lines + "\r\n";
}

std::string Renamed(std::string head) {
  ReadRequestHead(head);
  return head;
}

TEST(HttpHeadTest, EndsWithABlankLine) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t length = 0; length < head.size(); ++length) {
    EXPECT_EQ(HeadLength({head.data(), length}), 0U);
    EXPECT_TRUE(MayBeginHead({head.data(), length}));
  }
  const std::string more = head + "body\r\n\r\n";
  EXPECT_EQ(HeadLength(more), head.size());
}

TEST(HttpHeadTest, IsText) {
  const std::vector<std::string> others = {"GET / HTTP/1.1\n",    "\n",           "GET /\rHTTP/1.1",
                                           std::string("G\0", 2), "\x16\x03\x01", "\x7f"};
  for (const std::string& begins : others) EXPECT_FALSE(MayBeginHead(begins)) << begins;
  EXPECT_TRUE(MayBeginHead(std::string_view("a: \xc3\xa4\tb\r")));
}

TEST(HttpHeadTest, MayHaveSoManyHeadersAndSoLongATarget) {
  const auto with_headers = [](int count) {
    std::string lines;
    for (int i = 1; i < count; ++i) lines += "a: b\r\n";
    return Read(With(lines)).refusal;
  };
  EXPECT_EQ(with_headers(kMostHeaders), 0);
  EXPECT_EQ(with_headers(kMostHeaders + 1), 431);
  const auto with_target = [](std::size_t length) {
    return Read(With("", "GET " + std::string(length, '/') + " HTTP/1.1")).refusal;
  };
  EXPECT_EQ(with_target(kMostTargetBytes), 0);
  EXPECT_EQ(with_target(kMostTargetBytes + 1), 414);
}

TEST(HttpHeadTest, TellsWhereTheBodyEnds) {
  EXPECT_EQ(Read(With("")).body_bytes, std::nullopt);
  EXPECT_EQ(Read(With("content-length:\t12 \r\n")).body_bytes, 12U);
  EXPECT_EQ(Read(With("Content-Length: 18446744073709551615\r\n")).body_bytes, ~std::uint64_t{0});
  EXPECT_EQ(Read(With("Content-Length: 99999999999999999999\r\n")).refusal, 413);
  for (const char* wrong : {"", "-1", "+1", "1 2", "%35", "0x5", "5,5", "1.0"}) {
    EXPECT_EQ(Read(With(std::string("Content-Length: ") + wrong + "\r\n")).refusal, 400) << wrong;
  }
  EXPECT_EQ(Read(With("Content-Length: 5\r\nContent-Length: 5\r\n")).refusal, 400);
  EXPECT_TRUE(Read(With("Transfer-Encoding: chunked\r\n")).is_encoded);
}

TEST(HttpHeadTest, RefusesWhatOthersReadOtherwise) {
  for (const char* line : {"Content-Length : 5", " folded: b", "no colon", ": no name", "a b: c",
                           "a\xc3: b", "Host: b"}) {
    EXPECT_EQ(Read(With(std::string(line) + "\r\n")).refusal, 400) << line;
  }
  EXPECT_EQ(Read("GET / HTTP/1.1\r\n\r\n").refusal, 400);  // it has no host
  EXPECT_EQ(Read("GET / HTTP/1.0\r\n\r\n").refusal, 0);
  EXPECT_EQ(Read(With("", "GET / HTTP/1.1 more")).refusal, 400);
  EXPECT_EQ(Read(With("", "GET /")).refusal, 400);
  EXPECT_EQ(Read(With("", "GET  HTTP/1.1")).refusal, 400);
  EXPECT_EQ(Read(With("", "G[T / HTTP/1.1")).refusal, 400);
  EXPECT_EQ(Read(With("", "GET / HTTP/2.0")).refusal, 505);
  EXPECT_EQ(Read(With("", "BREW / HTTP/1.1")).refusal, 501);
}

TEST(HttpHeadTest, TellsWhetherItIsTheLast) {
  EXPECT_FALSE(Read(With("")).is_last);
  EXPECT_TRUE(Read(With("Connection: Close\r\n")).is_last);
  EXPECT_TRUE(Read(With("Connection: upgrade , close\r\n")).is_last);
  EXPECT_FALSE(Read(With("Connection: closed\r\n")).is_last);
  EXPECT_TRUE(Read("GET / HTTP/1.0\r\n\r\n").is_last);
  EXPECT_FALSE(Read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").is_last);
}

TEST(HttpHeadTest, RenamesWhatTheLibraryWouldWorkAt) {
  EXPECT_EQ(Renamed(With("Range: bytes=0-1\r\naccept-encoding: gzip\r\n")),
            With("Xange: bytes=0-1\r\nXccept-encoding: gzip\r\n"));
  std::string expecting = With("expect: 100-Continue\r\n");
  EXPECT_TRUE(ReadRequestHead(expecting).expects_continue);
  EXPECT_EQ(expecting, With("Xxpect: 100-Continue\r\n"));
  EXPECT_FALSE(Read("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
  // Only whole names, and only those of headers.
  const std::string others = With("Ranges: 1\r\nX-Range: 2\r\nA: Range: 3\r\n");
  EXPECT_EQ(Renamed(others), others);
}

}  // namespace
}  // namespace weir
