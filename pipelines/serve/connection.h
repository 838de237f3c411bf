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
  // refused, which has been answered then: refusal() tells with what.
  bool NextRequest();
  const RequestHead& head() const { return head_; }
  int refusal() const { return refusal_; }  // 0 where nothing was

  // Where the library has read the head: what follows is the body.
  void BeginBody();
  // Whether another request may follow: the body of this one has been read, and its sender goes on.
  bool goes_on() const {
    return !head_.is_last && !head_.is_encoded && body_read_ == head_.body_bytes.value_or(0);
  }
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

  // Begins a part of the exchange, which may take so long and what its bytes take.
  void BeginPart(std::chrono::milliseconds patience, std::chrono::milliseconds pressed);
  bool IsOver() const;
  // Waits for more of the head.
  bool ReceiveMore();
  bool WaitFor(short events);
  ssize_t Receive(char* to, std::size_t count);
  bool Send(const char* from, std::size_t count);

  const int socket_;
  const ConnectionTimes times_;
  const std::function<bool()> is_pressed_, is_short_;

  std::array<char, kMostHeadBytes> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what was received and not read
  RequestHead head_;
  int refusal_ = 0;
  std::uint64_t body_read_ = 0;
  bool is_first_ = true;      // no request has come yet
  bool is_answered_ = false;  // some of the answer has been written
  bool timed_out_ = false;
  bool is_lost_ = false;
  bool is_body_ = false;  // the part that goes on
  // The part that goes on: since when, how long it may take, and what has come or gone in it.
  Clock::time_point part_began_;
  std::chrono::milliseconds patience_{0}, pressed_{0};
  std::uint64_t part_bytes_ = 0;
  std::shared_ptr<void> held_;
};

}  // namespace weir
