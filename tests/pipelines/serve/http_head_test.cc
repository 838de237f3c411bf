#include "pipelines/serve/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

// The refusal of a head with these lines, which end it by themselves.
int RefusalOf(std::string head) { return CheckHead(head).refusal; }

std::string Renamed(std::string head) {
  CheckHead(head);
  return head;
}

std::string WithHeaders(int count) {
  std::string head = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < count; ++i) head += "a: b\r\n";
  return head + "\r\n";
}

TEST(HttpHeadTest, EndsWithABlankLine) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t length = 0; length < head.size(); ++length) {
    EXPECT_EQ(HeadLength({head.data(), length}), 0U);
  }
  const std::string more = head + "body\r\n\r\n";
  EXPECT_EQ(HeadLength(more), head.size());
}

TEST(HttpHeadTest, MayHaveSoManyHeadersAndSoLongATarget) {
  EXPECT_EQ(RefusalOf(WithHeaders(kMostHeaders)), 0);
  EXPECT_EQ(RefusalOf(WithHeaders(kMostHeaders + 1)), 431);
  const auto with_target = [](std::size_t length) {
    return "GET " + std::string(length, '/') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(RefusalOf(with_target(kMostTargetBytes)), 0);
  EXPECT_EQ(RefusalOf(with_target(kMostTargetBytes + 1)), 414);
}

TEST(HttpHeadTest, RefusesLinesThatOthersEndElsewhere) {
  EXPECT_EQ(RefusalOf("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(RefusalOf("GET / HTTP/1.1\r\nHost: a\nContent-Length: 3\r\n\r\n"), 400);
  EXPECT_EQ(RefusalOf("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"), 400);
  EXPECT_EQ(RefusalOf(std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29)), 400);
  EXPECT_EQ(RefusalOf("\n\r\n"), 400);
}

TEST(HttpHeadTest, RenamesWhatTheLibraryWouldWorkAt) {
  EXPECT_EQ(
      Renamed("GET / HTTP/1.1\r\nRange: bytes=0-1\r\naccept-encoding: gzip\r\nHost: a\r\n\r\n"),
      "GET / HTTP/1.1\r\nXange: bytes=0-1\r\nXccept-encoding: gzip\r\nHost: a\r\n\r\n");
  std::string expecting = "POST / HTTP/1.1\r\nexpect: 100-continue\r\n\r\n";
  EXPECT_TRUE(CheckHead(expecting).expects_continue);
  EXPECT_EQ(expecting, "POST / HTTP/1.1\r\nXxpect: 100-continue\r\n\r\n");
  // Only whole names, and only those of headers.
  const std::string others =
      "RANGE: / HTTP/1.1\r\nRanges: 1\r\nX-Range: 2\r\nHost: Range: 3\r\n\r\n";
  EXPECT_EQ(Renamed(others), others);
}

}  // namespace
}  // namespace weir
