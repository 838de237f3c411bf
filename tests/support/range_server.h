// A web server on 127.0.0.1 for one test, which gives ranges of files over connections that it
// keeps, and can be told to answer wrongly.
//
//   RangeServer server(RangeServer::Files{{"/a.tar", bytes}});
//   server.set_bend([](const RangeServer::Request& request, RangeServer::Answer& answer) {
//     if (request.number == 3) answer.sent_bytes = 10;   // breaks off
//   });
//   Open(server.url("/a.tar"));
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace weir {

class RangeServer {
 public:
  struct Request {
    int number = 0;    // 1 is the first
    std::string path;  // "/a.tar", with what follows its `?`
    std::string head;  // all lines of it
    std::size_t begin = 0;
    std::size_t end = 0;  // behind the last byte
  };
  struct Answer {
    std::string status = "206 Partial Content";
    std::map<std::string, std::string> headers{};
    std::string body{};
    std::size_t sent_bytes =
        std::string::npos;  // bytes of the body that are sent; then the connection ends
    bool stalls = false;    // nothing more is sent, and nothing ends
  };
  using Bend = std::function<void(const Request&, Answer&)>;

  using Files = std::map<std::string, std::string>;  // contents by path

  explicit RangeServer(Files files) : files_(std::move(files)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Accept(); });
  }
  RangeServer(const RangeServer&) = delete;
  RangeServer& operator=(const RangeServer&) = delete;
  ~RangeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int connection : connections_) ::close(connection);
    ::close(listener_);
  }

  std::string url(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  void set_bend(Bend bend) {
    const std::lock_guard lock(mutex_);
    bend_ = std::move(bend);
  }
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }
  // The text with $ for where the server is.
  std::string Shortened(std::string text) const {
    for (std::size_t at; (at = text.find(url())) != std::string::npos;) {
      text.replace(at, url().size(), "$");
    }
    return text;
  }

 private:
  void Accept() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      threads_.emplace_back([this, connection] {
        Serve(connection);
        ::shutdown(connection, SHUT_RDWR);
      });
    }
  }

  void Serve(int connection) {
    std::string read;
    for (;;) {
      char bytes[4096];
      std::size_t end;
      while ((end = read.find("\r\n\r\n")) == read.npos) {
        const ssize_t count = ::recv(connection, bytes, sizeof bytes, 0);
        if (count <= 0) return;
        read.append(bytes, static_cast<std::size_t>(count));
      }
      const std::string head = read.substr(0, end + 2);
      read.erase(0, end + 4);
      const Answer answer = AnswerTo(head);
      std::string text = "HTTP/1.1 " + answer.status + "\r\n";
      for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
      text += "\r\n" + answer.body.substr(0, answer.sent_bytes);
      if (!Send(connection, text)) return;
      if (answer.stalls) {
        while (::recv(connection, bytes, sizeof bytes, 0) > 0) {
        }
        return;
      }
      if (answer.sent_bytes < answer.body.size()) return;
    }
  }

  Answer AnswerTo(const std::string& head) {
    const std::lock_guard lock(mutex_);
    Request request{.number = static_cast<int>(requests_.size()) + 1, .path = {}, .head = head};
    request.path = head.substr(4, head.find(' ', 4) - 4);
    Answer answer;
    const auto file = files_.find(request.path.substr(0, request.path.find('?')));
    const std::size_t range = head.find("Range: bytes=");
    if (file == files_.end()) {
      answer.status = "404 Not Found";
    } else if (range != head.npos) {
      const std::string& content = file->second;
      request.begin = std::stoul(head.substr(range + 13));
      request.end =
          std::min(std::stoul(head.substr(head.find('-', range) + 1)) + 1, content.size());
      answer.headers = {{"ETag", "\"one\""},
                        {"Content-Range", "bytes " + std::to_string(request.begin) + "-" +
                                              std::to_string(request.end - 1) + "/" +
                                              std::to_string(content.size())}};
      answer.body = content.substr(request.begin, request.end - request.begin);
    }
    answer.headers["Content-Length"] = std::to_string(answer.body.size());
    requests_.push_back(request);
    if (bend_) bend_(request, answer);
    return answer;
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

  const Files files_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  Bend bend_;
  std::vector<Request> requests_;
  std::vector<int> connections_;
  std::list<std::thread> threads_;
  std::thread thread_;
};

}  // namespace weir
