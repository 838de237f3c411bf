#include "framework/memory/memory_budget.h"

#include <cassert>
#include <stdexcept>
#include <string>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, kMemoryTagCount> kNames = {
    "image", "batch", "model", "activation", "optimizer", "feature", "reserve"};

std::size_t Index(MemoryTag tag) { return static_cast<std::size_t>(tag); }

}  // namespace

std::string_view Name(MemoryTag tag) { return kNames[Index(tag)]; }

Lease::Lease(Lease&& other) noexcept
    : budget_(other.budget_), tag_(other.tag_), bytes_(std::exchange(other.bytes_, 0)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  Lease taken(std::move(other));
  std::swap(budget_, taken.budget_);
  std::swap(tag_, taken.tag_);
  std::swap(bytes_, taken.bytes_);
  return *this;
}

Lease::~Lease() { budget_->Release(tag_, bytes_); }

void Lease::ShrinkTo(std::size_t bytes) {
  if (bytes > bytes_) throw std::invalid_argument("a lease cannot grow");
  budget_->Release(tag_, bytes_ - bytes);
  bytes_ = bytes;
}

Lease Lease::SplitOff(std::size_t bytes) {
  if (bytes > bytes_) throw std::invalid_argument("a lease has no part larger than itself");
  bytes_ -= bytes;
  return Lease(*budget_, tag_, bytes);
}

void Lease::Absorb(Lease other) {
  assert(budget_ == other.budget_ && tag_ == other.tag_);
  bytes_ += std::exchange(other.bytes_, 0);
}

std::optional<Lease> MemoryBudget::TryAcquire(MemoryTag tag, std::size_t bytes) {
  std::size_t used = used_bytes_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_bytes_ - used) return std::nullopt;  // never wraps: used <= limit
  } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_acq_rel));
  used_by_tag_[Index(tag)].fetch_add(bytes, std::memory_order_relaxed);

  const std::size_t now = used + bytes;
  std::size_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes_.compare_exchange_weak(peak, now)) {
  }
  return Lease(*this, tag, bytes);
}

Lease MemoryBudget::Acquire(MemoryTag tag, std::size_t bytes, std::string_view who) {
  if (std::optional<Lease> lease = TryAcquire(tag, bytes)) return *std::move(lease);
  const MemoryUsage now = usage();
  throw Error(ErrorKind::kMemory,
              std::string(who) + " cannot hold " + ToRoundText(ByteSize{bytes}) + ": " +
                  ToRoundText(ByteSize{now.used_bytes}) + " of " +
                  ToRoundText(ByteSize{now.limit_bytes}) + " are in use",
              "Raise memory.host, or see `weir plan` for what holds it.");
}

void MemoryBudget::Release(MemoryTag tag, std::size_t bytes) {
  used_by_tag_[Index(tag)].fetch_sub(bytes, std::memory_order_relaxed);
  used_bytes_.fetch_sub(bytes, std::memory_order_acq_rel);
}

MemoryUsage MemoryBudget::usage() const {
  MemoryUsage usage{
      .limit_bytes = limit_bytes_, .used_bytes = used_bytes_, .peak_bytes = peak_bytes_};
  for (std::size_t i = 0; i < kMemoryTagCount; ++i) usage.used_by_tag[i] = used_by_tag_[i];
  return usage;
}

}  // namespace weir
