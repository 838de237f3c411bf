#include "stages/files/remote/http_answer.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace weir {
namespace {

HttpAnswer Answer(std::initializer_list<const char*> lines) {
  HttpAnswer answer;
  for (const char* line : lines) answer.AddLine(line);
  return answer;
}

// The verdict on an answer where 100 bytes from 100 on were asked for.
std::string Said(std::initializer_list<const char*> lines, const RemoteStamp* stamp = nullptr) {
  const Verdict verdict = Judge(Answer(lines), 100, 100, stamp);
  constexpr const char* kKinds[] = {"take", "again", "changed", "refused"};
  return std::string(kKinds[static_cast<int>(verdict.kind)]) +
         (verdict.what.empty() ? "" : ": " + verdict.what);
}

TEST(HttpAnswerTest, ReadsContentRanges) {
  const auto range = ParseContentRange(" bytes 500-999/1000\r\n");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 500u);
  EXPECT_EQ(range->last, 999u);
  EXPECT_EQ(range->total, 1000u);
  EXPECT_TRUE(ParseContentRange("Bytes 0-0/*"));
  EXPECT_FALSE(ParseContentRange("Bytes 0-0/*")->total);
  for (const char* wrong :
       {"", "bytes", "bytes */1000", "bytes 1-0/10", "bytes 0-9/9", "bytes 0-9", "bytes -9/10",
        "bytes 0-9/10x", "items 0-9/10", "bytes 0-99999999999999999999/*", "bytes 0-9/"}) {
    EXPECT_FALSE(ParseContentRange(wrong)) << wrong;
  }
}

TEST(HttpAnswerTest, KeepsWhatTheLastHeadSays) {
  const HttpAnswer answer =
      Answer({"HTTP/1.1 302 Found\r\n", "ETag: \"of the redirect\"\r\n", "\r\n",
              "HTTP/1.1 206 Partial Content\r\n", "content-LENGTH: 100\r\n",
              "Last-Modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n", "Retry-After: 7\r\n", "\r\n"});
  EXPECT_EQ(answer.status, 206);
  EXPECT_EQ(answer.reason, "Partial Content");
  EXPECT_EQ(answer.etag, "");
  EXPECT_EQ(answer.last_modified, "Sat, 01 Jan 2022 00:00:00 GMT");
  EXPECT_EQ(answer.length, 100u);
  EXPECT_EQ(answer.retry_after_s, 7.0);
}

TEST(HttpAnswerTest, TakesThePartThatWasAskedForAndNoOther) {
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 100-199/1000"}), "take");
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 100-149/1000"}), "take") << "shorter";
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 0-99/1000"}),
            "again: the server sends the bytes 0-99, and 100-199 were asked for");
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 100-200/1000"}),
            "again: the server sends the bytes 100-200, and 100-199 were asked for");
  EXPECT_EQ(Said({"HTTP/1.1 206 P"}), "again: the server does not say which bytes it sends");
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 100-199/*"}),
            "refused: the server does not say how long the file is");
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 100-199/1000", "Content-Length: 99"}),
            "again: the server announces 99 bytes, and calls them 100-199");
  EXPECT_EQ(Said({"HTTP/1.1 206 P", "Content-Range: bytes 100-199/1000", "Content-Encoding: gzip"}),
            "refused: the server sends it encoded by gzip");
  EXPECT_EQ(Said({"HTTP/1.1 200 OK", "Content-Length: 1000"}),
            "refused: the server answered 200 with the whole file where a part was asked for");
  EXPECT_EQ(Judge(Answer({"HTTP/1.1 200 OK", "Content-Length: 50"}), 0, 100, nullptr).kind,
            Verdict::Kind::kTake)
      << "all of a short file";
}

TEST(HttpAnswerTest, NoticesAnotherFile) {
  const RemoteStamp stamp{1000, "\"one\"", "Sat, 01 Jan 2022 00:00:00 GMT"};
  const char* const status = "HTTP/1.1 206 P";
  const char* const range = "Content-Range: bytes 100-199/1000";
  EXPECT_EQ(Said({status, range, "ETag: \"one\""}, &stamp), "take");
  EXPECT_EQ(Said({status, range, "ETag: \"one\"", "Last-Modified: another copy's"}, &stamp),
            "take");
  EXPECT_EQ(Said({status, range}, &stamp), "take") << "says nothing of it";
  EXPECT_EQ(Said({status, range, "ETag: \"two\""}, &stamp),
            "changed: its ETag was \"one\", and is \"two\" now");
  EXPECT_EQ(Said({status, "Content-Range: bytes 100-199/999", "ETag: \"one\""}, &stamp),
            "changed: its length was 1000, and is 999 now");
  EXPECT_EQ(Said({status, range, "Last-Modified: Sun"}, &stamp),
            "changed: its date was Sat, 01 Jan 2022 00:00:00 GMT, and is Sun now");
  EXPECT_EQ(Said({"HTTP/1.1 412 Precondition Failed"}, &stamp),
            "changed: the server answered 412 Precondition Failed");
  EXPECT_EQ(Said({"HTTP/1.1 416 Range Not Satisfiable"}, &stamp),
            "changed: the server answered 416 Range Not Satisfiable");
}

TEST(HttpAnswerTest, AsksAgainWhereThatMayHelp) {
  for (const char* status :
       {"408", "425", "429", "500", "502", "503", "504", "507", "520", "529"}) {
    EXPECT_EQ(Said({("HTTP/1.1 " + std::string(status)).c_str()}),
              "again: the server answered " + std::string(status));
  }
  for (const char* status : {"301", "400", "401", "403", "404", "410", "501", "505"}) {
    EXPECT_EQ(Said({("HTTP/2 " + std::string(status)).c_str()}),
              "refused: the server answered " + std::string(status));
  }
}

TEST(HttpAnswerTest, FindsTheCodeThatS3ExplainsAnErrorWith) {
  EXPECT_EQ(ErrorCodeIn("<?xml?><Error><Code>AccessDenied</Code><Message>m</Message></Error>"),
            "AccessDenied");
  EXPECT_EQ(ErrorCodeIn("<Code>cut off"), "");
  EXPECT_EQ(ErrorCodeIn("<html>"), "");
}

}  // namespace
}  // namespace weir
