#include "framework/memory/ticket.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace weir {
namespace {

TEST(TicketPool, GivesOutWhatIsItsOwnToAsManyAsMayBeOut) {
  MemoryBudget budget(100);
  TicketPool pool(budget, MemoryTag::kImage, {.bytes = 100, .max_tickets = 3, .busy_tickets = 1});
  std::vector<Ticket> out;
  for (int i = 0; i < 3; ++i) out.push_back(*pool.TryAcquire(20));
  EXPECT_FALSE(pool.TryAcquire(20));
  out.pop_back();
  EXPECT_FALSE(pool.TryAcquire(61));
  EXPECT_TRUE(pool.TryAcquire(60));
}

TEST(TicketPool, LendsOnlyAsManyAsKeepTheWorkersBusy) {
  MemoryBudget budget(100);
  TicketPool pool(budget, MemoryTag::kImage,
                  {.bytes = 100, .lent_bytes = 60, .max_tickets = 8, .busy_tickets = 2});
  std::optional<Ticket> first = pool.TryAcquire(30);
  std::optional<Ticket> second = pool.TryAcquire(50);  // borrows, so that the second worker works
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(pool.TryAcquire(10));  // a third would only wait
  second->ShrinkTo(5);
  EXPECT_TRUE(pool.TryAcquire(5));  // what is the pool's own is there for all
  EXPECT_FALSE(pool.TryAcquire(6));
  second.reset();
  first.reset();
  EXPECT_TRUE(pool.TryAcquire(100));  // alone it may have everything
  EXPECT_FALSE(pool.TryAcquire(101));
}

TEST(TicketPool, TellsTheOneThatWaitsWhenSomeIsGivenBack) {
  MemoryBudget budget(100);
  TicketPool pool(budget, MemoryTag::kImage, {.bytes = 100, .max_tickets = 2});
  int told = 0;
  pool.set_on_release([&] { ++told; });
  std::optional<Ticket> ticket = pool.TryAcquire(60);
  ticket->ShrinkTo(40);
  EXPECT_EQ(told, 1);
  ticket.reset();
  EXPECT_EQ(told, 2);
  EXPECT_EQ(pool.used_bytes(), 0u);
  EXPECT_EQ(pool.peak_bytes(), 60u);
}

}  // namespace
}  // namespace weir
