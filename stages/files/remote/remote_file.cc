#include "stages/files/remote/remote_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "stages/files/sha256.h"

namespace weir {

RemoteFile::RemoteFile(std::shared_ptr<RemoteClient> client, const std::string& name,
                       std::size_t first_bytes)
    : client_(std::move(client)),
      address_(std::make_shared<const RemoteAddress>(AddressOf(name))),
      first_(client_->Start(address_, 0, first_bytes, nullptr)) {
  try {
    client_->Await(*first_);
  } catch (...) {
    client_->Cancel(*first_);
    throw;
  }
  stamp_ = first_->stamp();
}

std::shared_ptr<RemoteRange> RemoteFile::Start(std::uint64_t begin, std::size_t count,
                                               std::shared_ptr<void> charge) const {
  return client_->Start(address_, begin, count, stamp_, std::move(charge));
}

// The time of its last change is a text here, of which a digest takes the place.
FileStamp RemoteFile::stamp() const {
  Sha256 digest;
  const std::string text = stamp_->etag + "\n" + stamp_->last_modified;
  digest.Add(std::as_bytes(std::span(text)));
  FileStamp stamp{.bytes = static_cast<std::int64_t>(stamp_->bytes)};
  std::memcpy(&stamp.changed_ns, digest.FinishBytes().data(), sizeof stamp.changed_ns);
  return stamp;
}

std::string RemoteFile::identity() const {
  if (!stamp_->has_strong_etag()) return "";
  return UnsignedUrl(address_->url) + "\n" + stamp_->etag + "\n" + std::to_string(stamp_->bytes);
}

std::size_t RemoteFile::Read(std::uint64_t offset, void* to, std::size_t count) const {
  if (offset >= size()) return 0;
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size() - offset));
  if (count == 0) return 0;
  const std::shared_ptr<RemoteRange> range = Start(offset, count);
  try {
    client_->Await(*range);
  } catch (...) {
    client_->Cancel(*range);
    throw;
  }
  std::memcpy(to, range->bytes().data(), count);
  return count;
}

}  // namespace weir
