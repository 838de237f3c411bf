#include "stages/sources/shards/remote_tar.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "stages/files/sha256.h"

namespace weir {
namespace {

constexpr std::size_t kLeastBlock = 64 << 10, kMostBlock = 1 << 20;  // bytes
constexpr std::size_t kMostBlocks = 4;
constexpr std::size_t kTarBlock = 512;  // bytes that headers and contents are padded to
// What is not read and no longer than this is not worth another round trip: at 100 ms a connection
// of 100 Mbit/s brings as much meanwhile.
constexpr std::uint64_t kWorthARoundTrip = 1 << 20;
constexpr const char* kOutline = ".outline";
constexpr auto kOutlineKept = std::chrono::hours(90 * 24), kPartialKept = std::chrono::hours(24);

}  // namespace

RemoteTar::RemoteTar(std::shared_ptr<RemoteFile> file, const std::filesystem::path& folder)
    : file_(std::move(file)), stamp_(file_->stamp()), block_bytes_(kMostBlock) {
  std::shared_ptr<RemoteRange> first = file_->TakeFirst();
  asked_to_ = first->bytes().size();
  blocks_.push_back({0, asked_to_, std::move(first)});
  FindOutline(folder);
}

void RemoteTar::RemoveUnused(const std::filesystem::path& folder) {
  const auto now = std::filesystem::file_time_type::clock::now();
  std::error_code error;
  for (std::filesystem::directory_iterator next(folder, error), end; !error && next != end;
       next.increment(error)) {
    const std::filesystem::path& path = next->path();
    const bool is_partial = path.extension() == ".partial";  // AtomicFile's
    if (!is_partial && path.extension() != kOutline) continue;
    std::error_code gone;  // another process may have removed it
    const auto used = std::filesystem::last_write_time(path, gone);
    if (gone || now - used < (is_partial ? kPartialKept : kOutlineKept)) continue;
    std::filesystem::remove(path, gone);
  }
}

void RemoteTar::FindOutline(const std::filesystem::path& folder) {
  const std::string identity = file_->identity();
  const bool is_gzip = FirstTwo() == std::array<unsigned char, 2>{0x1f, 0x8b};  // RFC 1952
  if (identity.empty() || is_gzip) return;
  Sha256 digest;
  digest.Add(std::as_bytes(std::span(identity)));
  const std::filesystem::path path = folder / (digest.Finish() + kOutline);
  known_ = TarOutlineReader::Open(path);
  std::error_code error;
  if (known_) {  // it was used now
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now(), error);
    return;
  }
  try {
    std::filesystem::create_directories(folder, error);
    outline_.emplace(path);
  } catch (const Error&) {  // then it is fetched the next time too
  }
}

void RemoteTar::Keep(std::span<const unsigned char> bytes) {
  if (!outline_) return;
  try {
    outline_->Add(position_, std::as_bytes(bytes));
  } catch (const Error&) {
    outline_.reset();
  }
}

// Each answer was held against the first one: it is what it was.
bool RemoteTar::Close() {
  if (!outline_) return true;
  try {
    outline_->Commit();
  } catch (const Error&) {
  }
  outline_.reset();
  return true;
}

void RemoteTar::Forget() {
  for (const Block& block : blocks_) file_->client().Cancel(*block.range);
  blocks_.clear();
}

std::array<unsigned char, 2> RemoteTar::FirstTwo() {
  std::array<unsigned char, 2> first = {};
  const std::span<const std::byte> bytes = blocks_.front().range->bytes();
  if (bytes.size() >= first.size()) std::memcpy(first.data(), bytes.data(), first.size());
  return first;
}

void RemoteTar::PassBlocks() {
  while (!blocks_.empty() && blocks_.front().end <= position_) {
    file_->client().Cancel(*blocks_.front().range);
    blocks_.pop_front();
    // What was read to its end is read on: more at once.
    most_blocks_ = std::min(most_blocks_ * 2, kMostBlocks);
    block_bytes_ = std::min(block_bytes_ * 4, kMostBlock);
  }
}

void RemoteTar::AskAhead() {
  if (blocks_.empty()) asked_to_ = position_;
  while (blocks_.size() < most_blocks_ && asked_to_ < file_->size()) {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes_, file_->size() - asked_to_));
    blocks_.push_back({asked_to_, asked_to_ + count, file_->Start(asked_to_, count)});
    asked_to_ += count;
  }
}

// What is kept is read in the blocks of a tar file, so that it is no more than is wanted.
std::size_t RemoteTar::Read(std::span<unsigned char> to) {
  if (position_ >= file_->size()) return 0;
  std::size_t count = known_ ? known_->Read(position_, to) : 0;
  if (count == 0) {
    if (outline_) {
      to = to.first(std::min<std::size_t>(to.size(), kTarBlock - position_ % kTarBlock));
    }
    count = ReadRemote(to);
    Keep(to.first(count));
  }
  position_ += count;
  return count;
}

std::size_t RemoteTar::ReadRemote(std::span<unsigned char> to) {
  PassBlocks();
  AskAhead();
  const Block& block = blocks_.front();
  file_->client().Await(*block.range);
  const auto skipped = static_cast<std::size_t>(position_ - block.begin);
  const std::span<const std::byte> bytes = block.range->bytes().subspan(skipped);
  const std::size_t count = std::min(to.size(), bytes.size());
  std::memcpy(to.data(), bytes.data(), count);
  return count;
}

bool RemoteTar::Skip(std::uint64_t bytes) {
  if (bytes > file_->size() - std::min(position_, file_->size())) {
    position_ = file_->size();
    return true;
  }
  position_ += bytes;
  if (position_ <= asked_to_ + kWorthARoundTrip) return true;
  Forget();
  most_blocks_ = 1;
  block_bytes_ = kLeastBlock;
  return true;
}

}  // namespace weir
