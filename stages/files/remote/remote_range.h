// A part of a file on a server: on its way, and then here.
//
// Made by a RemoteClient, whose thread fills it; whoever asked for it looks at it once it is
// settled. Holds the part's bytes in whole pages.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "framework/error.h"
#include "stages/files/remote/http_answer.h"
#include "stages/files/remote/page_buffer.h"
#include "stages/files/remote/remote_address.h"

namespace weir {

class RemoteRange {
 public:
  // `stamp` is what the file was; where that is not known, the part may end with the file.
  // `charge` ends when the bytes do.
  RemoteRange(std::shared_ptr<const RemoteAddress> address, std::uint64_t begin, std::size_t count,
              std::shared_ptr<const RemoteStamp> stamp, std::shared_ptr<void> charge)
      : address_(std::move(address)),
        begin_(begin),
        charge_(std::move(charge)),
        buffer_(count),
        wanted_(count),
        stamp_(std::move(stamp)) {}

  std::uint64_t begin() const { return begin_; }
  bool is_settled() const { return is_settled_.load(std::memory_order_acquire); }

  // Once it is settled: throws Error(kData) where it could not be had.
  void ThrowIfFailed() const {
    if (failure_) throw Error(failure_->kind, failure_->what, failure_->remedy);
  }
  std::span<const std::byte> bytes() const { return buffer_.bytes().first(filled_); }
  const std::shared_ptr<const RemoteStamp>& stamp() const { return stamp_; }

 private:
  friend class RemoteClient;

  // What an Error says, of which each reader makes its own.
  struct Failure {
    ErrorKind kind;
    std::string what;
    std::string remedy;
  };

  const std::shared_ptr<const RemoteAddress> address_;  // the file's, as is the stamp
  const std::uint64_t begin_;
  const std::shared_ptr<void> charge_;
  PageBuffer buffer_;
  std::size_t wanted_;                        // bytes
  std::size_t filled_ = 0;                    // bytes that are there
  std::shared_ptr<const RemoteStamp> stamp_;  // null where it is not known
  std::optional<Failure> failure_;
  int failed_tries_ = 0;  // one behind the other that brought little or nothing
  std::atomic<bool> is_settled_{false};
  std::atomic<bool> is_cancelled_{false};
};

}  // namespace weir
