#include "stages/device/cuda/device_ledger.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

constexpr const char* kRemedy =
    "Raise memory.device, or run on the processor (prefetch: {device: cpu}).";

std::size_t Less(std::size_t from, std::size_t bytes) { return from - std::min(from, bytes); }

std::string Text(std::size_t bytes) { return ToRoundText(ByteSize{bytes}); }

[[noreturn]] void RefuseLimit(std::size_t bytes, const std::string& held) {
  throw Error(ErrorKind::kMemory,
              "memory.device: " + Text(bytes) + " are too little: CUDA itself holds " + held +
                  " on the GPU, and " + Text(DeviceLedger::kKernelRoom) +
                  " are kept for its kernels",
              kRemedy);
}

}  // namespace

DeviceLedger::DeviceLedger(DeviceMeter& meter, std::size_t total_bytes)
    : meter_(meter), limit_bytes_(total_bytes), own_(std::numeric_limits<std::size_t>::max()) {}

std::size_t DeviceLedger::KnownBytes() { return meter_.torch_bytes() + own_.usage().used_bytes; }

std::size_t DeviceLedger::Measure() { return Note(meter_.process_bytes(KnownBytes()).bytes); }

std::size_t DeviceLedger::Note(std::size_t process_bytes) {
  const std::size_t known_bytes = KnownBytes();
  const std::size_t before_bytes = outside_bytes_;
  outside_bytes_ = Less(process_bytes, known_bytes);
  most_bytes_ = std::max(most_bytes_, std::max(before_bytes, outside_bytes_) +
                                          meter_.torch_peak_bytes() + own_.usage().peak_bytes);
  meter_.ForgetTorchPeak();
  return outside_bytes_ + known_bytes;
}

void DeviceLedger::MeasureOwn() {
  {
    std::lock_guard lock(mutex_);
    const DeviceMeter::Held held = meter_.process_bytes(KnownBytes());
    if (held.may_be_others) return;
    const std::size_t used = Note(held.bytes);
    LeaveToTorch();
    if (used <= limit_bytes_) return;
  }
  Refuse("memory.device: kernels and workspaces of CUDA have come to take more than was kept");
}

void DeviceLedger::LeaveToTorch() {
  meter_.AllowTorch(Less(limit_bytes_, outside_bytes_ + own_.usage().used_bytes + kKernelRoom));
}

void DeviceLedger::CheckLimit(std::size_t bytes) {
  if (kLeastContext + kKernelRoom >= bytes) RefuseLimit(bytes, "over " + Text(kLeastContext));
}

void DeviceLedger::SetLimit(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  const std::size_t used = Measure();
  if (used + kKernelRoom >= bytes) RefuseLimit(bytes, Text(used));
  limit_bytes_ = bytes;
  LeaveToTorch();
}

Lease DeviceLedger::Take(MemoryTag tag, std::size_t bytes, const std::string& holder) {
  {
    std::lock_guard lock(mutex_);
    const std::size_t rounded = (bytes + kGrain - 1) / kGrain * kGrain;
    if (Measure() + kKernelRoom + rounded <= limit_bytes_) {
      auto lease = own_.TryAcquire(tag, rounded);
      LeaveToTorch();
      return *std::move(lease);
    }
  }
  Refuse(holder + " of " + Text(bytes) + " do not fit on the GPU");
}

bool DeviceLedger::Settle() {
  std::lock_guard lock(mutex_);
  const std::size_t used = Measure();
  LeaveToTorch();
  return used <= limit_bytes_;
}

void DeviceLedger::BeginPass() {
  std::lock_guard lock(mutex_);
  turns_ = 0;
}

void DeviceLedger::SettleInTurn() {
  {
    std::lock_guard lock(mutex_);
    if (!std::has_single_bit(++turns_)) return;
  }
  MeasureOwn();
}

void DeviceLedger::SettleAtEnd() { MeasureOwn(); }

void DeviceLedger::Refuse(const std::string& what) {
  std::lock_guard lock(mutex_);
  const std::size_t used = Measure();
  throw Error(ErrorKind::kMemory,
              what + ": " + Text(used) + " of " + Text(limit_bytes_) + " are in use (" +
                  Text(outside_bytes_) + " by CUDA itself), and " + Text(kKernelRoom) +
                  " are kept for its kernels",
              kRemedy);
}

MemoryUsage DeviceLedger::usage() {
  std::lock_guard lock(mutex_);
  MemoryUsage usage = own_.usage();
  usage.used_bytes = outside_bytes_ + KnownBytes();
  usage.limit_bytes = limit_bytes_;
  usage.peak_bytes = std::max({usage.used_bytes, most_bytes_,
                               outside_bytes_ + meter_.torch_peak_bytes() + usage.peak_bytes});
  usage.used_by_tag[static_cast<std::size_t>(MemoryTag::kReserve)] += outside_bytes_;
  usage.used_by_tag[static_cast<std::size_t>(MemoryTag::kActivation)] += meter_.torch_bytes();
  return usage;
}

}  // namespace weir
