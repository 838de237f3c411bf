#include "pipelines/serve/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/pipelines/serve/raw_client.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A server that runs until the test ends.
class RunningServer {
 public:
  explicit RunningServer(HttpServer::Service service, const HttpOptions& options = {})
      : server_(options, std::move(service)),
        port_(server_.Bind()),
        thread_([this] { server_.Run([this] { return is_to_end_.load(); }); }) {}
  ~RunningServer() {
    is_to_end_ = true;
    if (thread_.joinable()) thread_.join();
  }

  void BeginToEnd() { is_to_end_ = true; }
  void WaitForEnd() { thread_.join(); }
  int port() const { return port_; }
  const HttpServer& server() const { return server_; }

 private:
  HttpServer server_;
  const int port_;
  std::atomic<bool> is_to_end_{false};
  std::thread thread_;
};

// Gives back the method, the path and the body.
HttpResponse Echo(HttpRequest& request) {
  std::string body(request.head().body_bytes.value_or(0), ' ');
  request.ReadBody(body);
  return {.body = request.method() + " " + request.path() + " " + body};
}

std::string Post(const std::string& body, const std::string& headers = "") {
  return "POST /a HTTP/1.1\r\nHost: x\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(HttpServerTest, AnswersOneRequestAfterAnotherOnAConnection) {
  const RunningServer server(Echo);
  RawClient client(server.port());
  for (const char* body : {"one", "two"}) {
    client.Send(Post(body));
    EXPECT_THAT(client.ReadAnswer(),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), Not(HasSubstr("Connection: close")),
                      EndsWith(std::string("\r\n\r\nPOST /a ") + body)));
  }
  client.Send(Post("three") + Post("four") + "GET /b%20c?d=e HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), EndsWith("POST /a three"));
  EXPECT_THAT(client.ReadAnswer(), EndsWith("POST /a four"));
  EXPECT_THAT(client.ReadAnswer(), EndsWith("GET /b c "));
}

TEST(HttpServerTest, EndsTheConnectionThatIsToEnd) {
  const RunningServer server(Echo);
  for (const char* request :
       {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    RawClient client(server.port());
    client.Send(request);
    EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(client.IsEnded());
  }
}

TEST(HttpServerTest, TakesNoSecondRequestFromWhatItRefused) {
  std::atomic<int> refused{0};
  const RunningServer server(Echo, {.on_refusal = [&](int status) { refused += status; }});
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string host = "Host: x\r\n";
  for (const auto& [request, status] : std::vector<std::pair<std::string, int>>{
           {"BREW / HTTP/1.1\r\n" + host + "\r\n", 501},
           {"GET / HTTP/3.0\r\n" + host + "\r\n", 505},
           {"garbage\r\n" + host + "\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length : 3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", 200}}) {
    RawClient client(server.port());
    client.Send(request + hidden);
    client.EndSending();
    refused = 0;
    const std::string answer = client.ReadAnswer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status))) << request;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << request;
    EXPECT_TRUE(client.IsEnded()) << request;
    EXPECT_THAT(answer, Not(HasSubstr("hidden")));
  }
}

TEST(HttpServerTest, AnswersOneWhoHasEndedSending) {
  const RunningServer server([](HttpRequest& request) {
    HttpResponse response = Echo(request);
    response.body += request.IsSenderThere() ? " there" : " gone";
    return response;
  });
  RawClient client(server.port());
  client.Send("\r\n" + Post("one"));
  client.EndSending();
  EXPECT_THAT(client.ReadAnswer(), EndsWith("POST /a one there"));
}

TEST(HttpServerTest, TakesATargetThatNamesTheServer) {
  const RunningServer server(Echo);
  RawClient client(server.port());
  client.Send(
      "GET http://x:80/b HTTP/1.1\r\nHost: x\r\n\r\nGET http://x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), EndsWith("GET /b "));
  EXPECT_THAT(client.ReadAnswer(), EndsWith("GET / "));
}

TEST(HttpServerTest, RefusesWithoutReadingTheBody) {
  const RunningServer server([](HttpRequest&) -> HttpResponse {
    throw HttpRefusal{413, "no", {{"Retry-After", "1"}}};
  });
  RawClient client(server.port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nsome of it");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Retry-After: 1\r\n"),
                    HasSubstr("Connection: close\r\n"), EndsWith("{\"error\":\"no\"}\n")));
  client.EndSending();
  EXPECT_TRUE(client.IsEnded());
}

TEST(HttpServerTest, ContinuesOnlyWhereTheBodyIsWanted) {
  const RunningServer server([](HttpRequest& request) -> HttpResponse {
    if (request.path() == "/no") throw HttpRefusal{413, "no"};
    return Echo(request);
  });
  RawClient client(server.port());
  client.Send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("one");
  EXPECT_THAT(client.ReadAnswer(), EndsWith("POST /a one"));
  client.Send("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServerTest, RefusesHeadsThatAreTooLargeOrBroken) {
  const RunningServer server(Echo);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET / HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n", "431"},
      {"GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", "414"},
      {"GET / HTTP/1.1\nHost: x\r\n\r\n", "400"},
      {"\x16\x03\x01", "400"},
      {"GARBAGE\r\n\r\n", "400"},
  };
  for (const auto& [request, status] : cases) {
    RawClient client(server.port());
    client.Send(request);
    EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 " + status)) << request.substr(0, 40);
    client.EndSending();
  }
  // What others would make of a range, or pack, is given whole and as it is.
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("GET / ")));
}

TEST(HttpServerTest, GivesUpOnSlowSenders) {
  const RunningServer server(Echo, {.times = {.idle = milliseconds(50),
                                              .patience = milliseconds(50),
                                              .pressed = milliseconds(50)}});
  RawClient head(server.port()), body(server.port()), idle(server.port());
  head.Send("GET / HT");
  body.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\no");
  EXPECT_THAT(head.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("in time")));
  EXPECT_THAT(body.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("too slowly")));
  EXPECT_THAT(idle.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("no request came")));
}

TEST(HttpServerTest, GivesUpOnSlowBodiesWhereMemoryIsShort) {
  const RunningServer server(
      Echo, {.times = {.pressed = milliseconds(50)}, .is_short_of_memory = [] { return true; }});
  RawClient slow(server.port());
  slow.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\no");
  EXPECT_THAT(slow.ReadAnswer(), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpServerTest, SaysWhereABodyIsCutOff) {
  const RunningServer server(Echo);
  RawClient client(server.port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\no");
  client.EndSending();
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("ended before its length")));
}

TEST(HttpServerTest, SaysWhatFailed) {
  const RunningServer server([](HttpRequest& request) -> HttpResponse {
    if (request.path() == "/memory") throw std::bad_alloc();
    throw std::runtime_error("it broke");
  });
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 500 "), EndsWith("{\"error\":\"it broke\"}\n")));
  client.Send("GET /memory HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 503 "));
}

TEST(HttpServerTest, GivesTheConnectionOfAnIdleSenderToOneWhoWaits) {
  const RunningServer server(Echo, {.connections = 1});
  RawClient idle(server.port());
  idle.Send(Post("one"));
  EXPECT_THAT(idle.ReadAnswer(), EndsWith("POST /a one"));
  RawClient waits(server.port());
  waits.Send(Post("two"));
  EXPECT_THAT(waits.ReadAnswer(), EndsWith("POST /a two"));
  EXPECT_TRUE(idle.IsEnded());
}

TEST(HttpServerTest, RefusesConnectionsBeyondThoseThatWait) {
  std::latch goes_on(1);
  const RunningServer server(
      [&](HttpRequest& request) {
        goes_on.wait();
        return Echo(request);
      },
      {.connections = 1});
  RawClient first(server.port());
  first.Send(Post("one"));
  while (server.server().open_connections() == 0) std::this_thread::yield();
  RawClient second(server.port());
  second.Send(Post("two"));
  RawClient third(server.port());
  EXPECT_THAT(third.ReadAnswer(), StartsWith("HTTP/1.1 503 "));
  goes_on.count_down();
  EXPECT_THAT(first.ReadAnswer(), EndsWith("POST /a one"));
  EXPECT_THAT(second.ReadAnswer(), EndsWith("POST /a two"));
}

TEST(HttpServerTest, AnswersWhatHasComeBeforeItEnds) {
  std::latch goes_on(1);
  RunningServer server([&](HttpRequest& request) {
    goes_on.wait();
    return Echo(request);
  });
  RawClient asks(server.port()), idle(server.port());
  asks.Send(Post("one"));
  while (server.server().open_connections() < 2) std::this_thread::yield();
  server.BeginToEnd();
  EXPECT_THAT(idle.ReadAnswer(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(server.server().is_ending());
  goes_on.count_down();
  EXPECT_THAT(asks.ReadAnswer(),
              AllOf(HasSubstr("Connection: close\r\n"), EndsWith("POST /a one")));
  server.WaitForEnd();
  EXPECT_ANY_THROW(RawClient(server.port()));
}

TEST(HttpServerTest, TakesAPortForItself) {
  const RunningServer server(Echo);
  HttpServer second({.port = server.port()}, Echo);
  EXPECT_EQ(
      CaughtError([&] { second.Bind(); }),
      "cannot listen on 127.0.0.1:" + std::to_string(server.port()) +
          ": Address already in use\nGive another --port, or a --host that this machine has.");
}

}  // namespace
}  // namespace weir
