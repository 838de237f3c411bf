// What a pipeline will hold, worked out before it runs: the footprints of its stages and the
// ceiling become tickets and levers, and the bill that is printed.
//
// A pure function of its arguments; milliseconds, no pixels.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/flow/any_stage.h"
#include "framework/memory/memory_budget.h"

namespace weir {

// One line of the bill.
struct PlanRow {
  enum class Kind { kReserve, kTickets, kSpare, kFixed, kLever, kExtra };
  Kind kind = Kind::kReserve;
  std::string stage;
  std::string what;  // "weights and tables", "workers", "samples on their way"
  MemoryTag tag = MemoryTag::kReserve;
  std::size_t bytes_each = 0;
  int count = 1;
  int useful = 1;     // more than that makes nothing faster
  std::string why{};  // why so many are of use; empty where there is nothing to choose

  bool is_short() const { return count < useful; }
  std::string CountText() const;  // "3", or "1 of 3" where it is short
  std::size_t bytes() const { return bytes_each * static_cast<std::size_t>(count); }
};

// A segment of the flow from the source or a gather to the next gather or the sink: one kind of
// ticket pays for it.
struct Segment {
  int head = 0;                 // index of the stage that begins it
  std::size_t item_bytes = 0;   // what one ticket is for, where nothing tells it apart
  std::size_t least_bytes = 0;  // what its tickets get at least: a larger item enters alone
  int max_tickets = 0;          // so many are granted
  int useful_tickets = 0;       // with more nothing gets faster
  std::string why{};            // why so many are of use
  std::size_t pool_bytes = 0;   // what its tickets may hold together
  std::size_t lent_bytes = 0;   // part of them: what no row of the bill needs
  int busy_tickets = 1;         // with fewer on their way workers idle
};

struct MemoryPlan {
  std::size_t limit_bytes = 0;
  std::size_t reserve_bytes = 0;
  std::vector<PlanRow> rows;
  std::vector<int> levers;         // what each stage is granted; 0 where it has none
  bool is_low_memory = false;      // levers in their low-memory mode
  std::vector<bool> has_extra;     // whether each stage gets its extra part
  std::vector<Segment> segments;   // in the order of the flow
  std::size_t smallest_bytes = 0;  // the lowest ceiling that would work
  std::size_t enough_bytes = 0;    // with more nothing gets faster

  std::size_t peak_bytes() const;  // the sum of all rows: what is expected to be held at most
  std::string ToTable() const;
};

// What is needed of a placed stage for the plan.
struct StageCost {
  std::string name;
  StageShape shape = StageShape::kMap;
  Footprint footprint;
  std::vector<int> from{};  // where the stages stand that it takes from; empty: the one before it
  bool changes_input = false;

  bool TakesFrom(std::size_t own_index, std::size_t other) const;
};
std::vector<StageCost> CostsOf(const std::vector<PlacedStage>& stages);

// What an item of stage `index` still needs to the end of its segment, all branches together.
Behind BehindStage(const std::vector<StageCost>& stages, std::size_t index);
// What the branch from `index` to `consumer` needs of that.
Packet::Branch BranchTo(const std::vector<StageCost>& stages, std::size_t index,
                        std::size_t consumer);

// `reserve_bytes` is what the process holds that no stage leases: code, stacks, the allocator's
// slack. Throws Error(kMemory), with the bill and the smallest ceiling that works, where
// `limit_bytes` is not enough.
MemoryPlan PlanMemory(const std::vector<StageCost>& stages, std::size_t limit_bytes,
                      std::size_t reserve_bytes, int workers);

}  // namespace weir
