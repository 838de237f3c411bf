#include "stages/train/torch/torch_allocator.h"

#include <ATen/Parallel.h>
#include <c10/core/Allocator.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

// Never destroyed: tensors with static storage may outlive everything else.
struct Granted {
  BestFitArena arena;
  std::mutex mutex;
  std::size_t bytes = 0;
  std::string holder;

  void Change(std::size_t more, std::size_t fewer) {
    std::lock_guard lock(mutex);
    bytes += more;
    bytes -= fewer;
    arena.set_limit_bytes(bytes > 0 ? bytes : static_cast<std::size_t>(-1));
  }
};

Granted& Shared() {
  static auto* const shared = new Granted;
  return *shared;
}

void FreeBlock(void* block) {
  if (block != nullptr) Shared().arena.Free(block);
}

[[noreturn]] void Refuse(std::size_t bytes) {
  const ArenaUsage usage = Shared().arena.usage();
  std::string holder;
  {
    std::lock_guard lock(Shared().mutex);
    holder = Shared().holder;
  }
  if (usage.used_bytes + bytes <= usage.limit_bytes) {
    throw Error(
        ErrorKind::kMemory,
        holder + ": the system has no more memory: LibTorch asked for " + ToRoundText({bytes}),
        "Free memory on this machine, or raise this process' limits (`ulimit -v`, "
        "`ulimit -d`).");
  }
  throw Error(ErrorKind::kMemory,
              holder + ": LibTorch asked for " + ToRoundText({bytes}) + " and holds " +
                  ToRoundText({usage.used_bytes}) + " of its " + ToRoundText({usage.limit_bytes}),
              "Give training.micro_batch a smaller number, or raise memory.host.");
}

class ArenaAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* block = nullptr;
    if (bytes > 0) {
      block = Shared().arena.Allocate(bytes);
      if (block == nullptr) Refuse(bytes);
    }
    return {block, block, &FreeBlock, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &FreeBlock; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

constexpr std::uint8_t kAboveLibTorchsOwn = 100;

}  // namespace

TorchGrant::TorchGrant(TorchGrant&& other) noexcept : leases_(std::move(other.leases_)) {
  other.leases_.clear();
}

TorchGrant& TorchGrant::operator=(TorchGrant&& other) noexcept {
  TorchGrant taken(std::move(other));
  std::swap(leases_, taken.leases_);
  return *this;
}

TorchGrant::~TorchGrant() {
  std::size_t bytes = 0;
  for (const Lease& lease : leases_) bytes += lease.bytes();
  if (bytes > 0) Shared().Change(0, bytes);
}

TorchAllocator& TorchAllocator::Install() {
  static TorchAllocator* const installed = [] {
    c10::SetAllocator(c10::DeviceType::CPU, new ArenaAllocator, kAboveLibTorchsOwn);
    return new TorchAllocator;
  }();
  return *installed;
}

TorchGrant TorchAllocator::Grant(std::vector<Lease> leases, const std::string& holder) {
  std::size_t bytes = 0;
  for (const Lease& lease : leases) bytes += lease.bytes();
  {
    std::lock_guard lock(Shared().mutex);
    Shared().holder = holder;
  }
  Shared().Change(bytes, 0);
  return TorchGrant(std::move(leases));
}

ArenaUsage TorchAllocator::usage() const { return Shared().arena.usage(); }
void TorchAllocator::ResetPeak() { Shared().arena.ResetPeak(); }
void TorchAllocator::Trim() { Shared().arena.Trim(); }

void UseOneTorchThread() {
  static std::once_flag once;
  std::call_once(once, [] {
    at::set_num_threads(1);
    at::set_num_interop_threads(1);
  });
  // OpenMP keeps its number of threads for each thread anew.
  thread_local const bool set = (at::init_num_threads(), true);
  static_cast<void>(set);
}

}  // namespace weir
