#include "stages/sources/shards/remote_read_ahead.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace weir {
namespace {

constexpr std::size_t kMostAhead = 2048;  // pictures
// What one of them takes: its name twice, its place, and what is asked for it; its address is
// the file's.
constexpr std::size_t kPictureBytes = 1024;
constexpr std::size_t kMostOfAGroup = 2 << 20;    // bytes
constexpr std::uint64_t kMostBetween = 64 << 10;  // bytes that are fetched and not wanted

}  // namespace

class RemoteReadAhead::Fetched final : public ByteSource {
 public:
  Fetched(std::shared_ptr<const RemoteFile> file, std::shared_ptr<RemoteRange> range)
      : file_(std::move(file)), range_(std::move(range)) {}

  std::uint64_t size() const override { return file_->size(); }
  FileStamp stamp() const override { return file_->stamp(); }
  std::string identity() const override { return file_->identity(); }
  std::size_t bytes_at_once() const override { return 0; }

  std::size_t Read(std::uint64_t offset, void* to, std::size_t count) const override {
    const std::span<const std::byte> bytes = range_->bytes();
    if (offset < range_->begin() || offset - range_->begin() > bytes.size() ||
        count > bytes.size() - (offset - range_->begin())) {
      return file_->Read(offset, to, count);
    }
    std::memcpy(to, bytes.data() + (offset - range_->begin()), count);
    return count;
  }

 private:
  const std::shared_ptr<const RemoteFile> file_;
  const std::shared_ptr<RemoteRange> range_;
};

RemoteReadAhead::Group::~Group() {
  if (range && !range->is_settled()) file->client().Cancel(*range);
}

RemoteReadAhead::RemoteReadAhead(std::shared_ptr<RemoteClient> client, std::size_t limit_bytes)
    : client_(std::move(client)),
      limit_bytes_(limit_bytes),
      held_bytes_(std::make_shared<std::atomic<std::size_t>>(0)) {}

RemoteReadAhead::~RemoteReadAhead() = default;

std::size_t RemoteReadAhead::bytes_beside() { return kMostAhead * kPictureBytes; }

void RemoteReadAhead::Begin(Walk walk) {
  open_.reset();
  entries_.clear();
  next_.reset();
  walk_ = std::move(walk);
  is_walked_out_ = false;
  is_full_ = false;
}

bool RemoteReadAhead::HasRoomFor(std::size_t bytes) const {
  return held_bytes_->load() + PageBuffer::Taken(bytes) <= limit_bytes_;
}

bool RemoteReadAhead::IsReady() {
  Fill();
  // With nothing on its way there is nothing to wait for: nobody says when room is given back.
  if (entries_.empty()) return true;
  const std::shared_ptr<Group>& group = entries_.front().group;
  return !group || group->range->is_settled();
}

// Once there is no room, waits until a quarter is free: what is asked for in drops is asked for
// picture by picture, though they lie one behind the other.
void RemoteReadAhead::Fill() {
  if (is_full_ && !entries_.empty() && held_bytes_->load() > limit_bytes_ / 4 * 3) return;
  is_full_ = false;
  while (!is_walked_out_ && entries_.size() < kMostAhead) {
    if (!next_) next_ = walk_();
    is_walked_out_ = !next_;
    if (is_walked_out_) break;
    is_full_ = !Add(*next_);
    if (is_full_) break;
    next_.reset();
  }
  AskForOpen();
}

// False where there is no room yet.
bool RemoteReadAhead::Add(ImageFile& picture) {
  const FilePart* const part = picture.part ? &*picture.part : nullptr;
  auto file = part ? std::dynamic_pointer_cast<const RemoteFile>(part->source) : nullptr;
  if (!file || part->size == 0 || part->size > limit_bytes_ / 2) {
    entries_.push_back({std::move(picture), nullptr});
    return true;
  }
  if (open_ && open_->file == file && Extend(*part)) {
    entries_.push_back({std::move(picture), open_});
    return true;
  }
  AskForOpen();
  if (!HasRoomFor(part->size)) return false;
  open_ = std::make_shared<Group>();
  open_->file = std::move(file);
  open_->begin = part->begin;
  open_->end = part->begin + part->size;
  entries_.push_back({std::move(picture), open_});
  return true;
}

bool RemoteReadAhead::Extend(const FilePart& part) {
  if (part.begin < open_->end || part.begin - open_->end > kMostBetween) return false;
  const std::uint64_t bytes = part.begin + part.size - open_->begin;
  if (bytes > std::min(kMostOfAGroup, limit_bytes_ / 4) || !HasRoomFor(bytes)) return false;
  open_->end = part.begin + part.size;
  return true;
}

void RemoteReadAhead::AskForOpen() {
  const std::shared_ptr<Group> group = std::exchange(open_, nullptr);
  if (!group) return;
  const auto bytes = static_cast<std::size_t>(group->end - group->begin);
  const std::size_t taken = PageBuffer::Taken(bytes);
  held_bytes_->fetch_add(taken);
  const std::shared_ptr<void> charge(
      nullptr, [held = held_bytes_, taken](void*) { held->fetch_sub(taken); });
  group->range = group->file->Start(group->begin, bytes, charge);
}

std::optional<ImageFile> RemoteReadAhead::Next() {
  Fill();
  if (entries_.empty()) {  // at the end, or no room: whoever decodes it reads it from the server
    if (!next_ && !is_walked_out_) next_ = walk_();
    is_walked_out_ = !next_;
    return std::exchange(next_, std::nullopt);
  }
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  if (entry.group) {
    client_->Await(*entry.group->range);
    entry.picture.part->source = std::make_shared<Fetched>(entry.group->file, entry.group->range);
  }
  return std::move(entry.picture);
}

}  // namespace weir
