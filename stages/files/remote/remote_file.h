// A file on a server, whose parts are read where they lie.
//
// What it was when it was opened it has to stay: each answer is held against the length, the ETag
// and the date of the first one. Any thread. Holds its address, which its parts share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "stages/byte_source.h"
#include "stages/files/remote/remote_client.h"

namespace weir {

class RemoteFile final : public ByteSource {
 public:
  // Asks for the first bytes, `first_bytes` of them or as many as there are, and waits for them.
  // Throws Error(kData) where it cannot be read, and as RemoteClient::Await() does.
  RemoteFile(std::shared_ptr<RemoteClient> client, const std::string& name,
             std::size_t first_bytes);

  const std::string& shown() const { return address_->shown; }
  RemoteClient& client() const { return *client_; }

  // The bytes that it was opened with; empty once they were taken.
  std::shared_ptr<RemoteRange> TakeFirst() { return std::move(first_); }

  // Asks for a part, of one byte at least, that lies in the file. `charge` ends with its memory.
  std::shared_ptr<RemoteRange> Start(std::uint64_t begin, std::size_t count,
                                     std::shared_ptr<void> charge = {}) const;

  std::uint64_t size() const override { return stamp_->bytes; }
  FileStamp stamp() const override;
  std::string identity() const override;
  std::size_t bytes_at_once() const override { return kBytesAtOnce; }

  // Waits for the bytes.
  std::size_t Read(std::uint64_t offset, void* to, std::size_t count) const override;

  static constexpr std::size_t kBytesAtOnce = 256 << 10;

 private:
  const std::shared_ptr<RemoteClient> client_;
  const std::shared_ptr<const RemoteAddress> address_;
  std::shared_ptr<RemoteRange> first_;
  std::shared_ptr<const RemoteStamp> stamp_;
};

}  // namespace weir
