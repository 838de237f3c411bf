#include "framework/memory/ticket.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace weir {
Ticket::~Ticket() {
  if (!pool_) return;
  lease_.reset();
  pool_->Ended();
}

void Ticket::ShrinkTo(std::size_t bytes) {
  if (!lease_ || bytes >= lease_->bytes()) return;
  lease_->ShrinkTo(bytes);
  pool_->on_release_();
}

Ticket Ticket::SplitOff(std::size_t bytes) {
  if (!lease_) return {};
  pool_->Begun();
  return Ticket(*pool_, lease_->SplitOff(std::min(bytes, lease_->bytes())));
}

void Ticket::Absorb(Ticket other) {
  if (!other.lease_) return;
  if (lease_) {
    assert(pool_ == other.pool_);
    lease_->Absorb(*std::move(other.lease_));
    other.lease_.reset();
  } else {
    std::swap(pool_, other.pool_);
    lease_ = std::move(other.lease_);
    other.lease_.reset();
  }
}

TicketPool::TicketPool(MemoryBudget& budget, MemoryTag tag, const Size& size)
    : held_(budget.Acquire(tag, size.bytes, "what is on its way")),
      tag_(tag),
      own_bytes_(size.bytes - size.lent_bytes),
      busy_tickets_(size.busy_tickets),
      budget_(size.bytes),
      max_tickets_(size.max_tickets) {}

std::optional<Ticket> TicketPool::TryAcquire(std::size_t bytes) {
  const int out = in_use_.fetch_add(1, std::memory_order_acq_rel);
  const bool borrows = used_bytes() + bytes > own_bytes_;
  if (out >= max_tickets() || (borrows && out >= busy_tickets_)) {
    in_use_.fetch_sub(1, std::memory_order_acq_rel);
    return std::nullopt;
  }
  std::optional<Lease> lease = budget_.TryAcquire(tag_, bytes);
  if (!lease) {
    in_use_.fetch_sub(1, std::memory_order_acq_rel);
    return std::nullopt;
  }
  return Ticket(*this, *std::move(lease));
}

void TicketPool::Limit(int max_tickets) {
  max_tickets_.store(std::max(1, max_tickets), std::memory_order_release);
}

void TicketPool::Ended() {
  in_use_.fetch_sub(1, std::memory_order_acq_rel);
  on_release_();
}

}  // namespace weir
