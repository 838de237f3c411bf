// One simulated card: who holds what of its memory, and its streams.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "tests/support/sim_cuda/sim_cuda.h"
#include "tests/support/sim_cuda/stream.h"

namespace weir::sim {

// The memory areas of one kind. Not locked.
class Areas {
 public:
  void Add(void* begin, std::size_t bytes) { areas_[static_cast<char*>(begin)] = bytes; }
  std::size_t Remove(void* begin);  // its bytes; 0 where there is none
  bool Contains(const void* begin, std::size_t bytes) const;

 private:
  std::map<const char*, std::size_t> areas_;
};

// Any thread may call any member.
class Card {
 public:
  void MakeContext();                // where there is none yet
  void MakeContext(unsigned flags);  // the same
  void ForgetContext();
  bool has_context() const;
  unsigned context_flags() const;

  void* Allocate(std::size_t bytes);  // poisoned; null where there is no room
  bool Free(void* memory);            // false where it is not the card's
  bool Contains(const void* begin, std::size_t bytes) const;
  bool HasAny(const void* address) const { return Contains(address, 1); }
  void LoadModule(std::size_t bytes);  // whether or not there is room
  void UnloadModules();

  std::size_t held_bytes() const;
  std::size_t held_peak_bytes() const;
  void ResetPeak();
  std::size_t others_bytes() const;
  void set_others_bytes(std::size_t bytes);
  std::size_t free_bytes() const;

  Stream& null_stream();  // its work is in no order with that of others: all are "non-blocking"
  Stream* AddStream();
  void EndStream(Stream* stream);
  void WaitForStreams();

 private:
  std::size_t HeldLocked() const;

  mutable std::mutex mutex_;
  bool has_context_ = false;
  unsigned context_flags_ = 0;
  Areas areas_;
  std::size_t allocated_bytes_ = 0;
  std::size_t module_bytes_ = 0;
  std::size_t peak_bytes_ = 0;  // the context's included
  std::size_t others_bytes_ = std::size_t{100} << 20;
  std::map<Stream*, std::shared_ptr<Stream>> streams_;
  std::shared_ptr<Stream> null_stream_;
};

// The cards live as long as the process: threads and tensors may outlive main().
Card& CardOf(int index);
Card* CardOfMemory(const void* address);  // null: not on a card

// The calling thread's.
int CurrentCard();
void SetCurrentCard(int index);

// Memory of the host that is pinned.
void AddPinned(void* begin, std::size_t bytes);
bool RemovePinned(void* begin);
bool IsPinned(const void* begin, std::size_t bytes);

}  // namespace weir::sim
