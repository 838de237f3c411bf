// Files on a server that is well, and on one that is not.
#include "stages/files/remote/remote_file.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/range_server.h"

namespace weir {
namespace {

using Request = RangeServer::Request;
using Answer = RangeServer::Answer;

std::string Numbers(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + " ";
  return text.substr(0, bytes);
}

class RemoteFileTest : public testing::Test {
 protected:
  // A machine that is busy elsewhere must not look like a server that stalls.
  static constexpr RemoteSettings kQuick{
      .connections = 4, .stall_s = 600, .tries = 3, .first_wait_s = 0.001};

  std::shared_ptr<RemoteFile> Open(const std::string& path = "/a.tar", std::size_t first = 1000) {
    return std::make_shared<RemoteFile>(client_, server_.url(path), first);
  }

  // What the file has from `begin` on, or why not.
  std::string Read(const RemoteFile& file, std::uint64_t begin, std::size_t count) const {
    std::string bytes(count, '?');
    const std::string error =
        CaughtError([&] { bytes.resize(file.Read(begin, bytes.data(), count)); });
    return error == "nothing was thrown" ? bytes : server_.Shortened(error);
  }

  // A client that gives up soon.
  void SetStall(double stall_s, int tries = 3) {
    client_ = std::make_shared<RemoteClient>(
        RemoteSettings{.stall_s = stall_s, .tries = tries, .first_wait_s = 0.001},
        [] { return false; });
  }

  // How opening the file ends where answers are bent so, each time.
  std::string Refusal(const RangeServer::Bend& bend) {
    server_.set_bend(bend);
    return server_.Shortened(CaughtError([&] { Open(); }));
  }

  const std::string content_ = Numbers(300'000);
  RangeServer server_{{{"/a.tar", content_}, {"/b c+d~.tar", content_}}};
  std::atomic<bool> is_interrupted_{false};
  std::shared_ptr<RemoteClient> client_ =
      std::make_shared<RemoteClient>(kQuick, [this] { return is_interrupted_.load(); });
};

TEST_F(RemoteFileTest, ReadsAnyPartByOneConnection) {
  const auto file = Open();
  EXPECT_EQ(file->size(), content_.size());
  EXPECT_EQ(file->TakeFirst()->bytes().size(), 1000u);
  EXPECT_EQ(Read(*file, 5000, 200'000), content_.substr(5000, 200'000));
  EXPECT_EQ(Read(*file, 299'990, 100), content_.substr(299'990)) << "up to its end";
  EXPECT_EQ(Read(*file, 300'000, 100), "");
  EXPECT_EQ(server_.connections(), 1u);
  EXPECT_NE(server_.requests().back().head.find("If-Match: \"one\""), std::string::npos);
}

TEST_F(RemoteFileTest, AFileMayBeShorterThanItsFirstPart) {
  const auto file = Open("/a.tar", 1 << 20);
  EXPECT_EQ(file->size(), content_.size());
  EXPECT_EQ(file->TakeFirst()->bytes().size(), content_.size());
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(RemoteFileTest, FollowsARedirect) {
  server_.set_bend([this](const Request& request, Answer& answer) {
    if (request.path != "/moved.tar") return;
    answer.status = "302 Found";
    answer.headers["Location"] = server_.url("/a.tar");
  });
  EXPECT_EQ(Read(*Open("/moved.tar"), 7, 20), content_.substr(7, 20));
}

TEST_F(RemoteFileTest, DoesNotFollowRedirectsForEver) {
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) {
              answer.status = "302 Found";
              answer.headers["Location"] = "/a.tar";
            }),
            "$/a.tar cannot be read: Maximum (5) redirects followed\nCheck the address and the "
            "server.");
  EXPECT_EQ(server_.requests().size(), 6u);
}

TEST_F(RemoteFileTest, GoesOnWhereAConnectionBroke) {
  const auto file = Open();
  server_.set_bend([](const Request& request, Answer& answer) {
    if (request.number < 4) answer.sent_bytes = 50'000;
  });
  EXPECT_EQ(Read(*file, 0, 200'000), content_.substr(0, 200'000));
  const std::vector<Request> requests = server_.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[2].begin, 50'000u);
  EXPECT_EQ(requests[3].begin, 100'000u);
  EXPECT_EQ(requests[3].end, 200'000u);
}

TEST_F(RemoteFileTest, AsksAgainWhereTheServerIsBusy) {
  const auto file = Open();
  server_.set_bend([](const Request& request, Answer& answer) {
    if (request.number == 2) answer = {.status = "503 Slow Down"};
    if (request.number == 3) answer.status = "429 Too Many Requests";
    if (request.number < 4) answer.headers["Content-Length"] = std::to_string(answer.body.size());
  });
  EXPECT_EQ(Read(*file, 0, 100), content_.substr(0, 100));
  EXPECT_EQ(server_.requests().size(), 4u);
}

TEST_F(RemoteFileTest, ReadsFromAServerThatStallsOnce) {
  SetStall(0.2, 100);
  const auto file = Open();
  server_.set_bend([](const Request& request, Answer& answer) {
    if (request.number > 2) return;
    answer.sent_bytes = 60'000;
    answer.stalls = true;
  });
  EXPECT_EQ(Read(*file, 0, 100'000), content_.substr(0, 100'000));
  EXPECT_EQ(server_.requests().back().begin, 60'000u);
}

TEST_F(RemoteFileTest, ServersThatNeverAnswerAreGivenUp) {
  SetStall(0.2);
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) {
              answer.sent_bytes = 0;
              answer.stalls = true;
            }),
            "$/a.tar cannot be read: nothing arrived for 0.2 s, 3 times\n"
            "Try again when the server is well.");
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) {
              answer.sent_bytes = 10;
              answer.stalls = true;
            }),
            "$/a.tar cannot be read: less than 1 kB/s arrived for 0.2 s, 3 times\n"
            "Try again when the server is well.");
  SetStall(1, 1);
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) {
              answer.sent_bytes = 0;
              answer.stalls = true;
            }),
            "$/a.tar cannot be read: nothing arrived for 1 s\nTry again when the server is well.");
}

TEST_F(RemoteFileTest, SaysWhatTheServerSaid) {
  const auto status = [](const char* text, const char* body = "") {
    return [=](const Request&, Answer& answer) {
      answer = {.status = text, .headers = {}, .body = body};
      answer.headers["Content-Length"] = std::to_string(answer.body.size());
    };
  };
  EXPECT_EQ(server_.Shortened(CaughtError([&] { Open("/none.tar"); })),
            "$/none.tar cannot be read: the server answered 404 Not Found\nCheck the address.");
  EXPECT_EQ(Refusal(status("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>")),
            "$/a.tar cannot be read: the server answered 403 Forbidden (AccessDenied)\n"
            "weir shows web servers no password: let everybody read it, or serve it from S3.");
  EXPECT_EQ(Refusal(status("429 Too Many Requests")),
            "$/a.tar cannot be read: the server answered 429 Too Many Requests, 3 times\n"
            "Try again when the server is well.");
  EXPECT_EQ(Refusal(status("500 Internal Server Error")),
            "$/a.tar cannot be read: the server answered 500 Internal Server Error, 3 times\n"
            "Try again when the server is well.");
  EXPECT_EQ(Refusal(status("416 Range Not Satisfiable")),
            "$/a.tar cannot be read: the server answered 416 Range Not Satisfiable\n"
            "Check the address and the server.");
}

TEST_F(RemoteFileTest, TakesNothingFromAServerThatLies) {
  EXPECT_EQ(Refusal([this](const Request&, Answer& answer) {
              answer.status = "200 OK";
              answer.body = content_;
              answer.headers = {{"Content-Length", std::to_string(content_.size())}};
            }),
            "$/a.tar cannot be read: the server answered 200 with the whole file where a part was "
            "asked for\n"
            "Serve it where ranges can be asked for, or copy the shard to a disk here.");
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) {
              answer.headers["Content-Range"] = "bytes 1-1000/300000";
            }),
            "$/a.tar cannot be read: the server sends the bytes 1-1000, and 0-999 were asked for, "
            "3 times\nTry again when the server is well.");
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) { answer.headers.erase("Content-Range"); }),
            "$/a.tar cannot be read: the server does not say which bytes it sends, 3 times\n"
            "Try again when the server is well.");
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) {
              answer.headers.erase("Content-Length");
              answer.headers["Connection"] = "close";
              answer.body += "more";
              answer.sent_bytes = answer.body.size();
              answer.body += "and the end of the connection";
            }),
            "$/a.tar cannot be read: the server sends more than it announced, 3 times\n"
            "Try again when the server is well.");
}

// More than was announced is not what was announced, though it is no more than was asked for.
TEST_F(RemoteFileTest, TakesNoMoreThanWasAnnounced) {
  const auto announcing = [](const char* range) {
    return [range](const Request&, Answer& answer) {
      answer.headers["Content-Range"] = range;
      answer.headers.erase("Content-Length");
      answer.headers["Connection"] = "close";
      answer.sent_bytes = answer.body.size();
      answer.body += "and the end of the connection";
    };
  };
  EXPECT_EQ(Refusal(announcing("bytes 0-99/1000000")),
            "$/a.tar cannot be read: the server sends more than it announced, 3 times\n"
            "Try again when the server is well.");
  server_.set_bend(announcing("bytes 0-99/100"));
  const auto short_file = Open();
  EXPECT_EQ(short_file->size(), 100u);
  EXPECT_EQ(short_file->TakeFirst()->bytes().size(), 100u) << "once it is asked for no more";
}

TEST_F(RemoteFileTest, WhatFollowsABodySaysNothingOfIt) {
  server_.set_bend([](const Request&, Answer& answer) {
    answer.headers.erase("Content-Length");
    answer.headers["Transfer-Encoding"] = "chunked";
    answer.body =
        "3e8\r\n" + answer.body + "\r\n0\r\nETag: \"two\"\r\nContent-Range: bytes 0-9/10\r\n\r\n";
  });
  EXPECT_EQ(server_.Shortened(Open()->identity()), "$/a.tar\n\"one\"\n300000");
}

// An end that comes early is an end of the connection, whatever the head has said.
TEST_F(RemoteFileTest, AShortBodyIsNoBody) {
  EXPECT_EQ(Refusal([](const Request&, Answer& answer) { answer.sent_bytes = 0; }),
            "$/a.tar cannot be read: transfer closed with 1000 bytes remaining to read, 3 times\n"
            "Try again when the server is well.");
}

TEST_F(RemoteFileTest, NoticesThatTheFileWasChanged) {
  const std::array<std::shared_ptr<RemoteFile>, 3> files = {Open(), Open(), Open()};
  server_.set_bend([](const Request&, Answer& answer) { answer.headers["ETag"] = "\"two\""; });
  EXPECT_EQ(Read(*files[0], 0, 10),
            "$/a.tar was changed while it was read: its ETag was \"one\", and is \"two\" now\n"
            "Begin again when it is whole.");
  server_.set_bend([](const Request&, Answer& answer) {
    answer = {.status = "412 Precondition Failed", .headers = {{"Content-Length", "0"}}};
  });
  EXPECT_EQ(Read(*files[1], 0, 10),
            "$/a.tar was changed while it was read: the server answered 412 Precondition Failed\n"
            "Begin again when it is whole.");
  server_.set_bend(
      [](const Request&, Answer& answer) { answer.headers["Content-Range"] = "bytes 0-9/100"; });
  EXPECT_EQ(Read(*files[2], 0, 10),
            "$/a.tar was changed while it was read: its length was 300000, and is 100 now\n"
            "Begin again when it is whole.");
  server_.set_bend({});
  EXPECT_EQ(Read(*files[2], 0, 10), content_.substr(0, 10)) << "it is asked each time";
}

TEST_F(RemoteFileTest, NoticesAChangeInTheMiddleOfAPart) {
  const auto file = Open();
  server_.set_bend([](const Request& request, Answer& answer) {
    if (request.number == 2) answer.sent_bytes = 50'000;
    if (request.number > 2) answer.headers["ETag"] = "\"two\"";
  });
  EXPECT_EQ(Read(*file, 0, 100'000),
            "$/a.tar was changed while it was read: its ETag was \"one\", and is \"two\" now\n"
            "Begin again when it is whole.");
}

TEST_F(RemoteFileTest, NobodyWaitsWhenTheRunIsToEnd) {
  server_.set_bend([this](const Request&, Answer& answer) {
    answer.sent_bytes = 0;
    answer.stalls = true;
    is_interrupted_ = true;
  });
  try {
    RemoteFile(std::make_shared<RemoteClient>(RemoteSettings{.stall_s = 3600},
                                              [this] { return is_interrupted_.load(); }),
               server_.url("/a.tar"), 1000);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
    EXPECT_EQ(server_.Shortened(error.what()), "$/a.tar: the reading was stopped");
  }
}

TEST_F(RemoteFileTest, MessagesHaveNothingOfWhatFollowsTheQuestionMark) {
  const std::string text = CaughtError([&] { Open("/none.tar?X-Amz-Signature=secret"); });
  EXPECT_EQ(server_.Shortened(text),
            "$/none.tar cannot be read: the server answered 404 Not Found\nCheck the address.");
  EXPECT_EQ(server_.requests().back().path, "/none.tar?X-Amz-Signature=secret");
}

TEST_F(RemoteFileTest, IsTheSameInAnotherRunOnlyWhereItsETagSaysSo) {
  EXPECT_EQ(server_.Shortened(Open()->identity()), "$/a.tar\n\"one\"\n300000");
  server_.set_bend([](const Request&, Answer& answer) { answer.headers["ETag"] = "W/\"one\""; });
  const auto weak = Open();
  EXPECT_EQ(weak->identity(), "");
  EXPECT_EQ(Read(*weak, 0, 9), content_.substr(0, 9));
  EXPECT_EQ(server_.requests().back().head.find("If-Match"), std::string::npos);
}

}  // namespace
}  // namespace weir
