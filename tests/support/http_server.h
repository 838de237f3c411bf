// A web server on 127.0.0.1 for one test: it serves one file at any path, by range or not, and can
// be told to break off.
//
//   HttpServer server(bytes, {.cut_after = 1000});
//   Fetch(..., server.url("mobilenet.pth"));
//   EXPECT_EQ(server.requests(), ...);       // "GET /mobilenet.pth", "GET /mobilenet.pth 1000-"
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir {

struct HttpBehaviour {
  std::size_t cut_after = 0;                       // bytes of the first answer's body; 0: never
  bool ignores_range = false;                      // answers 200 with everything
  bool sends_without_end = false;                  // the file again and again, of no stated length
  std::size_t states_bytes = 0;                    // in place of the length; 0: the length
  std::map<std::string, std::string> redirects{};  // path to location
};

class HttpServer {
 public:
  explicit HttpServer(std::string file, HttpBehaviour behaviour = {})
      : file_(std::move(file)), behaviour_(std::move(behaviour)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url(const std::string& name) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + name;
  }

  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Serve() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      Answer(connection);
      ::close(connection);
    }
  }

  void Answer(int connection) {
    std::string request;
    char bytes[1024];
    while (request.find("\r\n\r\n") == request.npos) {
      const ssize_t count = ::recv(connection, bytes, sizeof bytes, 0);
      if (count <= 0) return;
      request.append(bytes, static_cast<std::size_t>(count));
    }
    const std::string path = request.substr(4, request.find(' ', 4) - 4);
    const std::size_t range = request.find("Range: bytes=");
    const bool has_range = range != request.npos;
    const std::size_t from = has_range ? std::stoul(request.substr(range + 13)) : 0;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back("GET " + path + (has_range ? " " + std::to_string(from) + "-" : ""));
    }
    if (const auto moved = behaviour_.redirects.find(path); moved != behaviour_.redirects.end()) {
      Send(connection, "HTTP/1.1 302 Found\r\nLocation: " + moved->second +
                           "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    if (has_range && !behaviour_.ignores_range && from >= file_.size()) {
      Send(connection,
           "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    const bool partial = has_range && !behaviour_.ignores_range;
    std::string_view body = std::string_view(file_).substr(partial ? from : 0);
    std::string head = partial ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " +
                                     std::to_string(from) + "-" + std::to_string(file_.size() - 1) +
                                     "/" + std::to_string(file_.size()) + "\r\n"
                               : "HTTP/1.1 200 OK\r\n";
    if (behaviour_.sends_without_end) {
      std::string round = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + file_;
      while (Send(connection, round)) round = file_;
      return;
    }
    const std::size_t length = behaviour_.states_bytes ? behaviour_.states_bytes : body.size();
    head += "Content-Length: " + std::to_string(length) + "\r\nConnection: close\r\n\r\n";
    if (behaviour_.cut_after > 0 && !was_cut_) {
      was_cut_ = true;
      body = body.substr(0, behaviour_.cut_after);
    }
    Send(connection, head + std::string(body));
  }

  // False where nobody listens any more.
  static bool Send(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  const std::string file_;
  const HttpBehaviour behaviour_;
  int listener_ = -1;
  int port_ = 0;
  bool was_cut_ = false;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace weir
