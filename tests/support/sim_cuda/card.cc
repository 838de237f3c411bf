#include "tests/support/sim_cuda/card.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <vector>

namespace weir::sim {
namespace {

// What is written to memory that is given out, in its first bytes: values that stand out. The rest
// of large areas stays untouched, so that a test takes no more of the host than it writes.
constexpr int kPoison = 0xcd;
constexpr std::size_t kPoisonedBytes = std::size_t{64} << 20;

std::size_t RoundedUp(std::size_t bytes) {
  return (bytes + kGrainBytes - 1) / kGrainBytes * kGrainBytes;
}

thread_local int current_card = 0;

struct PinnedMemory {
  std::mutex mutex;
  Areas areas;
};

PinnedMemory& Pinned() {
  static auto* const pinned = new PinnedMemory;
  return *pinned;
}

}  // namespace

std::size_t Areas::Remove(void* begin) {
  const auto area = areas_.find(static_cast<char*>(begin));
  if (area == areas_.end()) return 0;
  const std::size_t bytes = area->second;
  areas_.erase(area);
  return bytes;
}

bool Areas::Contains(const void* begin, std::size_t bytes) const {
  const auto* first = static_cast<const char*>(begin);
  auto area = areas_.upper_bound(first);
  if (area == areas_.begin()) return false;
  area = std::prev(area);
  return first + bytes <= area->first + area->second;
}

void Card::MakeContext() { MakeContext(context_flags()); }

void Card::MakeContext(unsigned flags) {
  std::lock_guard lock(mutex_);
  if (has_context_) return;
  has_context_ = true;
  context_flags_ = flags;
  peak_bytes_ = std::max(peak_bytes_, HeldLocked());
}

void Card::ForgetContext() {
  std::lock_guard lock(mutex_);
  has_context_ = false;
  context_flags_ = 0;
}

bool Card::has_context() const {
  std::lock_guard lock(mutex_);
  return has_context_;
}

unsigned Card::context_flags() const {
  std::lock_guard lock(mutex_);
  return context_flags_;
}

std::size_t Card::HeldLocked() const {
  return (has_context_ ? kContextBytes : 0) + allocated_bytes_ + module_bytes_;
}

void* Card::Allocate(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  const std::size_t rounded = RoundedUp(bytes);
  if (HeldLocked() + others_bytes_ + rounded > kCardBytes) return nullptr;
  void* memory = mmap(nullptr, rounded, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  std::memset(memory, kPoison, std::min(bytes, kPoisonedBytes));
  areas_.Add(memory, rounded);
  allocated_bytes_ += rounded;
  peak_bytes_ = std::max(peak_bytes_, HeldLocked());
  return memory;
}

bool Card::Free(void* memory) {
  std::lock_guard lock(mutex_);
  const std::size_t bytes = areas_.Remove(memory);
  if (bytes == 0) return false;
  munmap(memory, bytes);
  allocated_bytes_ -= bytes;
  return true;
}

bool Card::Contains(const void* begin, std::size_t bytes) const {
  std::lock_guard lock(mutex_);
  return areas_.Contains(begin, bytes);
}

void Card::LoadModule(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  module_bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, HeldLocked());
}

void Card::UnloadModules() {
  std::lock_guard lock(mutex_);
  module_bytes_ = 0;
}

std::size_t Card::held_bytes() const {
  std::lock_guard lock(mutex_);
  return HeldLocked();
}

std::size_t Card::held_peak_bytes() const {
  std::lock_guard lock(mutex_);
  return peak_bytes_;
}

void Card::ResetPeak() {
  std::lock_guard lock(mutex_);
  peak_bytes_ = HeldLocked();
}

std::size_t Card::others_bytes() const {
  std::lock_guard lock(mutex_);
  return others_bytes_;
}

void Card::set_others_bytes(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  others_bytes_ = bytes;
}

std::size_t Card::free_bytes() const {
  std::lock_guard lock(mutex_);
  return kCardBytes - std::min(kCardBytes, HeldLocked() + others_bytes_);
}

Stream& Card::null_stream() {
  std::lock_guard lock(mutex_);
  if (!null_stream_) null_stream_ = std::make_shared<Stream>();
  return *null_stream_;
}

Stream* Card::AddStream() {
  auto stream = std::make_shared<Stream>();
  std::lock_guard lock(mutex_);
  streams_[stream.get()] = stream;
  return stream.get();
}

void Card::EndStream(Stream* stream) {
  std::shared_ptr<Stream> ended;  // outside of the lock, as its end waits for its work
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  ended = std::move(found->second);
  streams_.erase(found);
}

void Card::WaitForStreams() {
  std::vector<std::shared_ptr<Stream>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [address, stream] : streams_) all.push_back(stream);
    if (null_stream_) all.push_back(null_stream_);
  }
  for (const auto& stream : all) stream->Wait();
}

Card& CardOf(int index) {
  static auto* const cards = new std::array<Card, kCards>;
  return cards->at(index);
}

Card* CardOfMemory(const void* address) {
  for (int i = 0; i < kCards; ++i) {
    if (CardOf(i).HasAny(address)) return &CardOf(i);
  }
  return nullptr;
}

int CurrentCard() { return current_card; }
void SetCurrentCard(int index) { current_card = index; }

void AddPinned(void* begin, std::size_t bytes) {
  std::lock_guard lock(Pinned().mutex);
  Pinned().areas.Add(begin, bytes);
}

bool RemovePinned(void* begin) {
  std::lock_guard lock(Pinned().mutex);
  return Pinned().areas.Remove(begin) > 0;
}

bool IsPinned(const void* begin, std::size_t bytes) {
  std::lock_guard lock(Pinned().mutex);
  return Pinned().areas.Contains(begin, bytes);
}

std::size_t HeldBytes(int card) { return CardOf(card).held_bytes(); }
std::size_t HeldPeakBytes(int card) { return CardOf(card).held_peak_bytes(); }
void ResetHeldPeak(int card) { CardOf(card).ResetPeak(); }
std::size_t OthersBytes(int card) { return CardOf(card).others_bytes(); }
void SetOthersBytes(int card, std::size_t bytes) { CardOf(card).set_others_bytes(bytes); }
bool HasContext(int card) { return CardOf(card).has_context(); }
unsigned ContextFlags(int card) { return CardOf(card).context_flags(); }

void ForgetContexts() {
  for (int i = 0; i < kCards; ++i) CardOf(i).ForgetContext();
}

}  // namespace weir::sim
