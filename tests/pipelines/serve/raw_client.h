// A client that sends what it is told to, byte for byte, and reads what comes.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace weir {

class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  // As far as it is taken.
  void Send(const std::string& text) const {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t sent = ::send(socket_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += static_cast<std::size_t>(sent);
    }
  }
  void EndSending() const { ::shutdown(socket_, SHUT_WR); }

  // The next answer, its body included: by its Content-Length, or what there is at the end of the
  // connection.
  std::string ReadAnswer() {
    while (true) {
      const std::size_t head = received_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t field = received_.find("Content-Length: ");
        const std::size_t length = field < head ? std::stoul(received_.substr(field + 16)) : 0;
        if (received_.size() >= head + 4 + length) return Take(head + 4 + length);
      }
      if (!Receive()) return Take(received_.size());
    }
  }

  // Whether the server has ended the connection, and nothing more comes.
  bool IsEnded() { return received_.empty() && !Receive(); }

 private:
  bool Receive() {
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  std::string Take(std::size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }

  const int socket_;
  std::string received_;
};

}  // namespace weir
