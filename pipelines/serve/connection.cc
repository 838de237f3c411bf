#include "pipelines/serve/connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "pipelines/serve/status.h"

namespace weir {
namespace {

// A body, or an answer, that goes on more slowly than this is given up.
constexpr std::uint64_t kLeastBytesPerSecond = 32 << 10;
constexpr int kPressedFactor = 32;  // how much faster it has to be while others wait

// How often it is looked whether others have begun to wait.
constexpr std::chrono::milliseconds kTick{100}, kLeastTick{10};

// How much of a body that is refused is taken, at most.
constexpr std::size_t kLingerBytes = std::size_t{4} << 20;
constexpr std::chrono::milliseconds kLingerTime{1'000};

using NameOf = int (*)(int, sockaddr*, socklen_t*);

void AddressOf(int socket, NameOf name_of, std::string& address, int& port) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (name_of(socket, reinterpret_cast<sockaddr*>(&name), &length) != 0) return;
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<sockaddr*>(&name), length, host, sizeof host, service,
                  sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return;
  }
  address = host;
  port = std::atoi(service);
}

}  // namespace

Connection::Connection(int socket, const ConnectionTimes& times, std::function<bool()> is_pressed,
                       std::function<bool()> is_short)
    : socket_(socket),
      times_(times),
      is_pressed_(std::move(is_pressed)),
      is_short_(std::move(is_short)) {}

void Connection::BeginPart(std::chrono::milliseconds patience, std::chrono::milliseconds pressed) {
  part_began_ = Clock::now();
  patience_ = patience;
  pressed_ = std::min(patience, pressed);
  part_bytes_ = 0;
  is_body_ = false;
}

// Whoever sends nothing, or little, falls behind what the bytes that came may have taken.
bool Connection::IsOver() const {
  const bool is_pressed = is_pressed_() || (is_body_ && is_short_ && is_short_());
  const std::uint64_t rate = kLeastBytesPerSecond * (is_pressed ? kPressedFactor : 1);
  const std::chrono::milliseconds of_bytes(part_bytes_ * 1000 / rate);
  return Clock::now() - part_began_ > (is_pressed ? pressed_ : patience_) + of_bytes;
}

bool Connection::WaitFor(short events) {
  while (!is_lost_) {
    pollfd waited{.fd = socket_, .events = events, .revents = 0};
    const auto wait = std::clamp(std::min(patience_, pressed_), kLeastTick, kTick);
    const int found = ::poll(&waited, 1, static_cast<int>(wait.count()));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) is_lost_ = true;
    if (IsOver()) {
      timed_out_ = true;
      return false;
    }
  }
  return false;
}

ssize_t Connection::Receive(char* to, std::size_t count) {
  while (true) {
    const ssize_t received = ::recv(socket_, to, count, MSG_DONTWAIT);
    if (received > 0) {
      part_bytes_ += static_cast<std::uint64_t>(received);
      return received;
    }
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      if (!WaitFor(POLLIN)) return -1;
      continue;
    }
    is_lost_ = received < 0;
    return received;
  }
}

bool Connection::ReceiveMore() {
  const ssize_t received = Receive(buffer_.data() + end_, buffer_.size() - end_);
  if (received <= 0) return false;
  end_ += static_cast<std::size_t>(received);
  return true;
}

bool Connection::NextRequest() {
  is_answered_ = timed_out_ = false;
  head_ = {};
  refusal_ = 0;
  body_read_ = 0;
  held_.reset();
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  if (end_ == 0) {
    // One who has been answered makes room for others at once.
    BeginPart(is_first_ ? times_.patience : times_.idle,
              is_first_ ? times_.pressed : std::chrono::milliseconds(0));
    if (!ReceiveMore()) {
      if (is_first_ && timed_out_) Refuse(408, "no request came in time");
      return false;
    }
  }
  is_first_ = false;
  BeginPart(times_.patience, times_.pressed);
  std::size_t length = 0;
  while (true) {
    // A blank line between requests means nothing (RFC 9112, 2.2).
    while (end_ - begin_ >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n')
      begin_ += 2;
    const std::span<char> received(buffer_.data() + begin_, end_ - begin_);
    if ((length = HeadLength(received)) > 0) break;
    if (!MayBeginHead(received)) {
      Refuse(400, "the head of a request is text whose lines end in CR LF");
      return false;
    }
    if (end_ == buffer_.size()) {
      Refuse(431, "the head of a request may have 8 KiB");
      return false;
    }
    if (!ReceiveMore()) {
      if (timed_out_) Refuse(408, "the head of the request did not come to its end in time");
      return false;
    }
  }
  head_ = ReadRequestHead({buffer_.data() + begin_, length});
  if (head_.refusal == 0) return true;
  Refuse(head_.refusal, head_.why);
  return false;
}

void Connection::BeginBody() {
  BeginPart(times_.patience, times_.pressed);
  is_body_ = true;
}

bool Connection::ReadBody(std::span<char> to) {
  if (head_.expects_continue && begin_ == end_) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!Send(kContinue.data(), kContinue.size())) return false;
  }
  head_.expects_continue = false;
  while (!to.empty()) {
    const ssize_t count = read(to.data(), to.size());
    if (count <= 0) return false;
    to = to.subspan(static_cast<std::size_t>(count));
    body_read_ += static_cast<std::uint64_t>(count);
  }
  return true;
}

// One who has ended the sending may still read.
bool Connection::IsSenderThere() const {
  pollfd asked{.fd = socket_, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) == 0;
}

void Connection::Refuse(int status, const std::string& reason) {
  const std::string body = ErrorJson(reason);
  const std::string answer = "HTTP/1.1 " + std::to_string(status) + " " + StatusText(status) +
                             "\r\nContent-Type: application/json\r\nConnection: close\r\n" +
                             (status == 503 ? "Retry-After: 1\r\n" : "") +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  refusal_ = status;
  timed_out_ = false;
  write(answer.data(), answer.size());
}

void Connection::Linger() {
  if (!is_answered_ || is_lost_) return;
  ::shutdown(socket_, SHUT_WR);
  BeginPart(kLingerTime, kLingerTime);
  const Clock::time_point end = Clock::now() + kLingerTime;
  for (std::size_t taken = 0; taken < kLingerBytes && Clock::now() < end;) {
    const ssize_t received = Receive(buffer_.data(), buffer_.size());
    if (received <= 0) return;
    taken += static_cast<std::size_t>(received);
  }
}

ssize_t Connection::read(char* to, std::size_t count) {
  if (begin_ == end_) return Receive(to, count);
  count = std::min(count, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* from, std::size_t count) {
  if (!is_answered_) BeginPart(times_.patience, times_.pressed);
  is_answered_ = true;
  return Send(from, count) ? static_cast<ssize_t>(count) : -1;
}

bool Connection::Send(const char* from, std::size_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(socket_, from, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      if (!WaitFor(POLLOUT)) return false;
      continue;
    }
    if (sent <= 0) {
      is_lost_ = true;
      return false;
    }
    part_bytes_ += static_cast<std::uint64_t>(sent);
    from += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

void Connection::get_remote_ip_and_port(std::string& address, int& port) const {
  AddressOf(socket_, ::getpeername, address, port);
}

void Connection::get_local_ip_and_port(std::string& address, int& port) const {
  AddressOf(socket_, ::getsockname, address, port);
}

}  // namespace weir
