// A connection of the server, as the stream that cpp-httplib reads requests from and writes answers
// to. The library waits for each read by itself and has no end to a whole request; here the head,
// the body and the answer have one each, so that whoever sends a byte now and then holds a
// connection for some seconds and not for ever. While others wait for a connection, these are
// shorter.
//
// Holds kMostHeadBytes. One thread at a time.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "pipelines/serve/http_head.h"
#include "pipelines/serve/http_server.h"

namespace weir {

class Connection final : public httplib::Stream {
 public:
  // Ends with the socket open. `is_pressed` says whether others wait for a connection, or the
  // server is ending; `is_short` of memory, see HttpOptions.
  Connection(int socket, const ConnectionTimes& times, std::function<bool()> is_pressed,
             std::function<bool()> is_short);

  // Waits for the head of the next request and looks through it. False where none came, or it was
  // refused, which has been answered then.
  bool ReadHead();

  // Where the library has read the head: what follows is the body.
  void BeginBody(std::uint64_t body_bytes);
  std::uint64_t body_bytes() const { return body_bytes_; }
  bool is_body_read() const { return body_read_ == body_bytes_; }
  // All of `to`, from the body, which is at least as long. Says "100 Continue" first where that is
  // waited for. False where it was cut off or came too slowly, which timed_out() tells.
  bool ReadBody(std::span<char> to);
  bool timed_out() const { return timed_out_; }

  bool IsSenderThere() const;

  // Keeps what pays for the answer until it is sent.
  void Hold(std::shared_ptr<void> held) { held_ = std::move(held); }

  // Sends a whole answer without the library, for a request that it is not given.
  void Refuse(int status, const std::string& reason);

  // Before the socket is closed with a body that nobody read: takes some of it, since the sender
  // would lose the answer with the connection.
  void Linger();

  bool is_readable() const override { return begin_ < end_; }
  bool is_writable() const override { return !is_lost_; }
  ssize_t read(char* to, std::size_t count) override;
  ssize_t write(const char* from, std::size_t count) override;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  int socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Begins a part of the exchange that may take so long, and `bytes` more.
  void BeginPart(std::chrono::milliseconds patience, std::chrono::milliseconds pressed,
                 std::uint64_t bytes);
  bool WaitFor(short events);
  ssize_t Receive(char* to, std::size_t count);
  bool Send(const char* from, std::size_t count);

  const int socket_;
  const ConnectionTimes times_;
  const std::function<bool()> is_pressed_, is_short_;

  std::array<char, kMostHeadBytes> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what was received and not read
  std::uint64_t body_bytes_ = 0, body_read_ = 0;
  bool expects_continue_ = false;
  bool is_answered_ = false;  // some of the answer has been written
  bool timed_out_ = false;
  bool is_lost_ = false;
  bool is_body_ = false;  // the part that goes on
  Clock::time_point part_ends_, part_ends_pressed_;
  std::shared_ptr<void> held_;
};

}  // namespace weir
