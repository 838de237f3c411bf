// Admission to the flow: a lease that wakes whoever waits for memory when it ends.
//
// A sample enters at the source only with a ticket for the most that it will hold on its whole way
// to the next gather (or to the sink). It shrinks as the sample gets smaller and ends with it, so
// tickets bound every queue between.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "framework/memory/memory_budget.h"

namespace weir {

class TicketPool;

// Move-only. Any thread may end it, one at a time.
class [[nodiscard]] Ticket {
 public:
  Ticket() = default;  // a ticket for nothing
  Ticket(Ticket&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), lease_(std::move(other.lease_)) {
    other.lease_.reset();
  }
  Ticket& operator=(Ticket&& other) noexcept {
    Ticket taken(std::move(other));
    std::swap(pool_, taken.pool_);
    std::swap(lease_, taken.lease_);
    return *this;
  }
  ~Ticket();

  std::size_t bytes() const { return lease_ ? lease_->bytes() : 0; }

  // Gives back all but `bytes`; does nothing where it already holds less.
  void ShrinkTo(std::size_t bytes);

  // Makes a ticket of its own of a part, at most of all that there is. Until one of them ends both
  // count among those that are out at once.
  Ticket SplitOff(std::size_t bytes);

  // Takes over what another one of the same pool, or of none, pays for.
  void Absorb(Ticket other);

 private:
  friend class TicketPool;
  Ticket(TicketPool& pool, Lease lease) : pool_(&pool), lease_(std::move(lease)) {}

  TicketPool* pool_ = nullptr;
  std::optional<Lease> lease_;
};

// The part of the ledger that one segment of the flow may hold. Tickets end in any thread, but one
// thread at a time asks for them: of two, one could be refused for what the other only tried. None
// of it blocks. Must outlive its tickets.
class TicketPool {
 public:
  struct Size {
    std::size_t bytes = 0;       // what the tickets may hold together
    std::size_t lent_bytes = 0;  // part of `bytes`: what the plan left over
    int max_tickets = 0;         // at most so many are out at once
    // What is lent is given out only where fewer tickets than these are out: to items that are so
    // large that the workers would idle without it.
    int busy_tickets = 1;
  };

  // All of it is leased from `budget` now. Throws Error(kMemory) where that does not fit.
  TicketPool(MemoryBudget& budget, MemoryTag tag, const Size& size);

  // Empty where it does not fit now; `on_release` is then called after the next ticket shrinks or
  // ends.
  std::optional<Ticket> TryAcquire(std::size_t bytes);

  // Called from whichever thread ends or shrinks a ticket; must be quick and must not throw. Set
  // before the first ticket is given out.
  void set_on_release(std::function<void()> on_release) { on_release_ = std::move(on_release); }

  // Gives out fewer tickets at once from now on, at least one; what is out already ends by itself.
  // Any thread. What one ticket may be for stays the same.
  void Limit(int max_tickets);

  std::size_t limit_bytes() const { return held_.bytes(); }
  std::size_t used_bytes() const { return budget_.usage().used_bytes; }
  std::size_t peak_bytes() const { return budget_.usage().peak_bytes; }
  int max_tickets() const { return max_tickets_.load(std::memory_order_acquire); }
  int in_use() const { return in_use_.load(std::memory_order_acquire); }

 private:
  friend class Ticket;
  void Begun() { in_use_.fetch_add(1, std::memory_order_acq_rel); }
  void Ended();

  Lease held_;
  const MemoryTag tag_;
  const std::size_t own_bytes_;  // all but what is lent
  const int busy_tickets_;
  MemoryBudget budget_;
  std::atomic<int> max_tickets_;
  std::atomic<int> in_use_{0};
  std::function<void()> on_release_ = [] {};
};

}  // namespace weir
