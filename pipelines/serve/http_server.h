// HTTP by cpp-httplib: it takes requests apart and writes answers; here are the bounds that it does
// not have (connection.h, connection_threads.h, http_head.h). No TLS, no files: a proxy's business.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "pipelines/serve/http.h"

namespace weir {

// How long a connection may take. A part of an exchange may take `patience`, and what its
// bytes so far take at 32 KiB a second besides; while others wait `pressed`, at 1 MiB a second.
struct ConnectionTimes {
  std::chrono::milliseconds idle{5'000};       // between requests
  std::chrono::milliseconds patience{10'000};  // for a head, and to begin with
  std::chrono::milliseconds pressed{1'000};    // in place of `patience` while others wait
};

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 0;           // 0: any that is free
  int connections = 100;  // at once; as many again wait
  ConnectionTimes times{};
  // Whether requests are refused for want of memory: slow bodies, which hold some, are then given
  // up as early as while others wait for a connection. Empty: never.
  std::function<bool()> is_short_of_memory{};
  // Called with the status of what is refused before it is a request: a broken head, one
  // connection too many.
  std::function<void(int status)> on_refusal{};
};

// What a connection holds at most beside what its request leases: its stack, the head of a request
// in the library's hands, its buffers.
inline constexpr std::size_t kConnectionBytes = std::size_t{96} << 10;

class HttpServer {
 public:
  // Called for each request, in the thread of its connection; throws HttpRefusal.
  using Service = std::function<HttpResponse(HttpRequest&)>;

  HttpServer(const HttpOptions& options, Service service);
  ~HttpServer();

  // Takes the port, and gives its number. Throws Error(kConfig) where it cannot be had.
  int Bind();

  // Serves until `is_to_end` says so, which is asked several times a second; returns when the
  // requests that had come are answered.
  void Run(std::function<bool()> is_to_end);

  int open_connections() const;
  bool is_ending() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace weir
