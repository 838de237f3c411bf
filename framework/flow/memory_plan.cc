#include "framework/flow/memory_plan.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

// Enough samples on their way to keep every worker busy while some wait for their turn in a batch.
constexpr int kSamplesPerWorker = 4;
// More would wait for the threads that make them.
constexpr int kGatheredItems = 2;

Segment BeginSegment(std::size_t head, StageShape shape, int workers) {
  Segment segment{.head = static_cast<int>(head), .busy_tickets = workers};
  if (shape == StageShape::kSource) {
    segment.useful_tickets = kSamplesPerWorker * workers;
    segment.why = std::to_string(kSamplesPerWorker) +
                  " for each worker, so that none idles while some wait for their batch";
  } else {
    segment.useful_tickets = std::min(kGatheredItems, workers);
    segment.why = workers > 1 ? "one fills while one is worked on"
                              : "one thread fills it and works on it in turn";
  }
  return segment;
}

// What the stage makes of an item, with the copies of it.
std::size_t OwnBytes(const StageCost& stage, const Behind& behind) {
  return stage.footprint.item_bytes * static_cast<std::size_t>(1 + behind.copies);
}

// What works in place gives on what comes in, and so it is that which is copied behind it.
bool WorksInPlace(const StageCost& stage) {
  return stage.shape == StageShape::kMap && stage.changes_input && stage.footprint.item_bytes == 0;
}

// The stage that made what stage `index` gives.
std::size_t GivenBy(const std::vector<StageCost>& stages, std::size_t index) {
  while (index > 0 && WorksInPlace(stages[index])) {
    const std::vector<int>& from = stages[index].from;
    index = from.empty() ? index - 1 : static_cast<std::size_t>(from.front());
  }
  return index;
}

std::vector<Segment> CutSegments(const std::vector<StageCost>& stages, int workers) {
  std::vector<Segment> segments;
  std::vector<std::size_t> segment_of(stages.size(), 0);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Footprint& footprint = stages[i].footprint;
    const Behind behind = BehindStage(stages, i);
    if (stages[i].shape == StageShape::kSource || stages[i].shape == StageShape::kGather) {
      segment_of[i] = segments.size();
      segments.push_back(BeginSegment(i, stages[i].shape, workers));
      segments.back().item_bytes = OwnBytes(stages[i], behind) + behind.bytes;
      segments.back().least_bytes = segments.back().item_bytes;
    } else if (i > 0) {
      segment_of[i] = segment_of[stages[i].from.empty() ? i - 1 : stages[i].from.front()];
    }
    if (segments.empty()) continue;
    Segment& segment = segments[segment_of[i]];
    const std::size_t larger_by =  // what an item may need beyond the usual
        footprint.largest_item_bytes - std::min(footprint.largest_item_bytes, footprint.item_bytes);
    segment.least_bytes =
        std::max(segment.least_bytes,
                 segment.item_bytes + larger_by * static_cast<std::size_t>(1 + behind.copies));
    if (footprint.max_items > segment.useful_tickets) {
      segment.useful_tickets = footprint.max_items;
      segment.why = "`" + stages[i].name + "` asks for them";
    }
  }
  return segments;
}

// Something of which one or more may be held.
struct Growable {
  int* count;
  int max;
  std::size_t bytes_each;
  std::size_t least_bytes = 0;  // held however few there are

  std::size_t Bytes(int many) const {
    return std::max(least_bytes, bytes_each * static_cast<std::size_t>(many));
  }
};

std::size_t Total(const std::vector<Growable>& growables, std::size_t fixed, bool at_max) {
  for (const Growable& growable : growables) {
    fixed += growable.Bytes(at_max ? std::max(growable.max, *growable.count) : *growable.count);
  }
  return fixed;
}

// One more of each in turn, as long as it fits: no stage gets its third before another its second.
void Grow(const std::vector<Growable>& growables, std::size_t& total, std::size_t limit) {
  for (bool grown = true; grown;) {
    grown = false;
    for (const Growable& growable : growables) {
      if (*growable.count >= growable.max) continue;
      const std::size_t more =
          growable.Bytes(*growable.count + 1) - growable.Bytes(*growable.count);
      if (more > limit - total) continue;
      ++*growable.count;
      total += more;
      grown = true;
    }
  }
}

// The levers of the stages at their least, in the mode that `plan` has.
std::vector<Growable> Levers(const std::vector<StageCost>& stages, MemoryPlan& plan) {
  std::vector<Growable> levers;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::optional<Lever>& lever = stages[i].footprint.lever;
    if (!lever) continue;
    plan.levers[i] = lever->min;
    levers.push_back({&plan.levers[i], lever->max, lever->BytesEach(plan.is_low_memory)});
  }
  return levers;
}

// How fast the levers that have a low-memory mode let their stages go, against each other.
double Pace(const std::vector<StageCost>& stages, const MemoryPlan& plan) {
  double pace = 1;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::optional<Lever>& lever = stages[i].footprint.lever;
    if (!lever || !lever->low_memory) continue;
    pace *= plan.levers[i] * (plan.is_low_memory ? lever->low_memory->pace : 1);
  }
  return pace;
}

std::vector<PlanRow> MakeRows(const std::vector<StageCost>& stages, const MemoryPlan& plan,
                              std::size_t reserve_bytes) {
  std::vector<PlanRow> rows;
  rows.push_back({PlanRow::Kind::kReserve, "process", "code, stacks, allocator",
                  MemoryTag::kReserve, reserve_bytes});
  std::size_t segment = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Footprint& footprint = stages[i].footprint;
    if (segment < plan.segments.size() && plan.segments[segment].head == static_cast<int>(i)) {
      const bool samples = stages[i].shape == StageShape::kSource;
      rows.push_back({PlanRow::Kind::kTickets, stages[i].name,
                      samples ? "samples on their way" : "batches on their way",
                      samples ? MemoryTag::kImage : MemoryTag::kBatch,
                      plan.segments[segment].item_bytes, plan.segments[segment].max_tickets,
                      plan.segments[segment].useful_tickets, plan.segments[segment].why});
      const std::size_t tickets_bytes = rows.back().bytes();
      if (tickets_bytes < plan.segments[segment].least_bytes) {
        rows.push_back({PlanRow::Kind::kSpare, stages[i].name, "room for a larger one",
                        rows.back().tag, plan.segments[segment].least_bytes - tickets_bytes});
      }
      ++segment;
    }
    for (const HeldPart& part : footprint.held) {
      if (part.bytes == 0) continue;
      rows.push_back({PlanRow::Kind::kFixed, stages[i].name, part.what, part.tag, part.bytes});
    }
    if (footprint.extra) {
      const HeldPart& part = footprint.extra->part;
      rows.push_back({PlanRow::Kind::kExtra, stages[i].name, part.what, part.tag, part.bytes,
                      plan.has_extra[i] ? 1 : 0, 1, footprint.extra->why});
    }
    if (footprint.lever) {
      rows.push_back({PlanRow::Kind::kLever, stages[i].name,
                      footprint.lever->NameOf(plan.is_low_memory), MemoryTag::kActivation,
                      footprint.lever->BytesEach(plan.is_low_memory), plan.levers[i],
                      std::max(footprint.lever->max, plan.levers[i]), footprint.lever->why});
      if (plan.is_low_memory && footprint.lever->low_memory) {
        rows.back().why += "; " + footprint.lever->low_memory->why;
      }
    }
  }
  return rows;
}

struct Cells {
  std::string stage, what, tag, each, count, total;
};

std::string Line(const Cells& cells, int stage_width) {
  char line[300];
  std::snprintf(line, sizeof line, "  %-*s %-30s %-10s %9s %7s %9s\n", stage_width,
                cells.stage.c_str(), cells.what.c_str(), cells.tag.c_str(), cells.each.c_str(),
                cells.count.c_str(), cells.total.c_str());
  return line;
}

// What stages hold most of, in words.
std::string Largest(const MemoryPlan& plan) {
  const auto largest =
      std::max_element(plan.rows.begin() + 1, plan.rows.end(),
                       [](const PlanRow& a, const PlanRow& b) { return a.bytes() < b.bytes(); });
  return largest->stage + ", " + largest->what + ": " + ToRoundText(ByteSize{largest->bytes()});
}

[[noreturn]] void Refuse(const std::vector<StageCost>& stages, MemoryPlan& plan) {
  plan.rows = MakeRows(stages, plan, plan.reserve_bytes);
  throw Error(ErrorKind::kMemory,
              "this job does not fit in " + ToRoundText(ByteSize{plan.limit_bytes}) +
                  ": at its smallest it holds\n" + plan.ToTable() + "The largest part is " +
                  Largest(plan) + ".",
              "Raise memory.host (or --memory) to " +
                  ToWholeMebibytes(ByteSize{plan.smallest_bytes}) + " or more.");
}

}  // namespace

bool StageCost::TakesFrom(std::size_t own_index, std::size_t other) const {
  if (from.empty()) return own_index == other + 1 && shape != StageShape::kSource;
  return std::find(from.begin(), from.end(), static_cast<int>(other)) != from.end();
}

std::vector<StageCost> CostsOf(const std::vector<PlacedStage>& stages) {
  std::vector<StageCost> costs;
  for (const PlacedStage& placed : stages) {
    costs.push_back({.name = placed.name,
                     .shape = placed.shape,
                     .footprint = placed.any->stage().footprint(),
                     .from = placed.from,
                     .changes_input = placed.changes_input});
  }
  return costs;
}

Behind BehindStage(const std::vector<StageCost>& stages, std::size_t index) {
  Behind behind;
  for (std::size_t i = index + 1; i < stages.size(); ++i) {
    if (!stages[i].TakesFrom(i, index)) continue;
    const Packet::Branch branch = BranchTo(stages, index, i);
    behind.bytes += branch.bytes;
    behind.copies += branch.copies;
  }
  return behind;
}

Packet::Branch BranchTo(const std::vector<StageCost>& stages, std::size_t index,
                        std::size_t consumer) {
  const StageCost& stage = stages[consumer];
  if (stage.shape == StageShape::kGather) return {};  // its own tickets pay
  // A join is paid for on its first branch.
  if (stage.shape == StageShape::kJoin && stage.from.front() != static_cast<int>(index)) return {};
  const Behind behind = BehindStage(stages, consumer);
  Packet::Branch branch{.bytes = OwnBytes(stage, behind) + behind.bytes,
                        .copy_bytes = stages[GivenBy(stages, index)].footprint.item_bytes};
  int consumers = 0;
  for (std::size_t i = index + 1; i < stages.size(); ++i) {
    consumers += stages[i].TakesFrom(i, index);
  }
  branch.copies = consumers > 1 && stage.changes_input;
  if (WorksInPlace(stage)) branch.copies += behind.copies;
  return branch;
}

std::string PlanRow::CountText() const {
  return std::to_string(count) + (is_short() ? " of " + std::to_string(useful) : "");
}

std::size_t MemoryPlan::peak_bytes() const {
  std::size_t total = 0;
  for (const PlanRow& row : rows) total += row.bytes();
  return total;
}

std::string MemoryPlan::ToTable() const {
  std::size_t width = 10;
  for (const PlanRow& row : rows)
    width = std::max(width, std::min<std::size_t>(row.stage.size(), 40));
  std::string table;
  const auto add = [&](const Cells& cells) { table += Line(cells, static_cast<int>(width)); };
  add({"stage", "holds", "tag", "each", "count", "bytes"});
  for (const PlanRow& row : rows) {
    add({row.stage, row.what, std::string(Name(row.tag)), ToRoundText(ByteSize{row.bytes_each}),
         row.CountText(), ToRoundText(ByteSize{row.bytes()})});
  }
  add({"", "peak", "", "", "", ToRoundText(ByteSize{peak_bytes()})});
  add({"", "ceiling", "", "", "", ToRoundText(ByteSize{limit_bytes})});
  return table;
}

MemoryPlan PlanMemory(const std::vector<StageCost>& stages, std::size_t limit_bytes,
                      std::size_t reserve_bytes, int workers) {
  MemoryPlan plan;
  plan.limit_bytes = limit_bytes;
  plan.reserve_bytes = reserve_bytes;
  plan.segments = CutSegments(stages, workers);
  plan.levers.assign(stages.size(), 0);
  plan.has_extra.assign(stages.size(), false);

  std::size_t fixed = reserve_bytes;
  std::vector<Growable> tickets;
  for (Segment& segment : plan.segments) {
    segment.max_tickets = 1;
    tickets.push_back(
        {&segment.max_tickets, segment.useful_tickets, segment.item_bytes, segment.least_bytes});
  }
  for (const StageCost& stage : stages) fixed += stage.footprint.held_bytes();
  const auto smallest_bytes = [&](bool is_low_memory) {
    plan.is_low_memory = is_low_memory;
    return Total(tickets, Total(Levers(stages, plan), fixed, false), false);
  };
  const auto pace = [&](bool is_low_memory) {
    std::size_t total = smallest_bytes(is_low_memory);
    if (total > limit_bytes) return 0.0;
    Grow(Levers(stages, plan), total, limit_bytes);
    return Pace(stages, plan);
  };
  plan.smallest_bytes = smallest_bytes(true);
  plan.smallest_bytes = std::min(plan.smallest_bytes, smallest_bytes(false));
  plan.enough_bytes = Total(tickets, Total(Levers(stages, plan), fixed, true), true);
  for (const StageCost& stage : stages) {
    if (stage.footprint.extra) plan.enough_bytes += stage.footprint.extra->part.bytes;
  }
  const double low_memory = pace(true), plain = pace(false);
  plan.is_low_memory = low_memory > plain || plan.smallest_bytes > limit_bytes;
  const std::vector<Growable> levers = Levers(stages, plan);
  if (plan.smallest_bytes > limit_bytes) Refuse(stages, plan);

  std::size_t total = Total(tickets, Total(levers, fixed, false), false);
  // A second core that works is worth more than an item that waits: with one batch on its way and
  // both cores the article's job runs at 0.9 of its full speed, with two and one core at 0.5.
  Grow(levers, total, limit_bytes);
  Grow(tickets, total, limit_bytes);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::optional<ExtraPart>& extra = stages[i].footprint.extra;
    plan.has_extra[i] = extra && extra->part.bytes <= limit_bytes - total;
    if (plan.has_extra[i]) total += extra->part.bytes;
  }
  plan.rows = MakeRows(stages, plan, reserve_bytes);

  // What is left over is lent to the samples, so that a picture larger than most still gets in, and
  // as many of them as there are workers.
  for (Segment& segment : plan.segments) {
    segment.pool_bytes = std::max(
        segment.least_bytes, segment.item_bytes * static_cast<std::size_t>(segment.max_tickets));
  }
  if (!plan.segments.empty()) {
    plan.segments.front().lent_bytes = limit_bytes - total;
    plan.segments.front().pool_bytes += limit_bytes - total;
  }
  return plan;
}

}  // namespace weir
