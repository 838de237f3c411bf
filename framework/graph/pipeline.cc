#include "framework/graph/pipeline.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/flow/crash_notice.h"
#include "framework/flow/type_name.h"
#include "framework/flow/worker_threads.h"

namespace weir {

namespace {

// Two shared objects may use one name for two types.
void CheckTypes(const PlacedStage& before, const PlacedStage& placed, const std::type_info& takes) {
  if (*before.out_type == takes) return;
  throw Error(ErrorKind::kConfig,
              "what `" + placed.who() + "` calls " + std::string(before.out) + " is the type " +
                  TypeName(takes) + ", and what `" + before.who() + "` gives is " +
                  TypeName(*before.out_type),
              "Use the payload's own header, or a port type of another name.");
}

// While this exists, messages of `resources` name `who` as the stage that puts and reads.
class ResourceUser {
 public:
  ResourceUser(Resources& resources, const std::string& who) : resources_(resources) {
    resources_.set_user(who);
  }
  ResourceUser(const ResourceUser&) = delete;
  ResourceUser& operator=(const ResourceUser&) = delete;
  ~ResourceUser() { resources_.set_user(""); }

 private:
  Resources& resources_;
};

// Where the source or the gather stands from which the items of a stage come.
int HeadOf(const std::vector<PlacedStage>& stages, int index) {
  while (stages[index].shape == StageShape::kMap || stages[index].shape == StageShape::kJoin) {
    index = stages[index].from.front();
  }
  return index;
}

// A stage that is not ours is named where it fails.
void OpenStage(PlacedStage& placed, OpenContext& context) {
  try {
    placed.any->stage().Open(context);
  } catch (const Error& error) {
    if (placed.plugin.empty()) throw;
    const bool leases_more = error.kind() == ErrorKind::kMemory;
    throw Error(error.kind(), "stage " + placed.who() + ": " + error.what(),
                leases_more ? "What a stage takes in Open() it has to declare in footprint()."
                            : error.remedy());
  }
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, Resources& resources)
    : options_(std::move(options)), resources_(resources) {}

Pipeline::~Pipeline() = default;

void Pipeline::EndBehindSource() {
  graph_.reset();
  threads_.reset();
  stages_.erase(stages_.begin() + 1, stages_.end());
}

void Pipeline::Add(const StageSpec& spec, const YamlNode& params, const Position& position,
                   const StagePlace& place) {
  StagePlace named = place;
  if (named.name.empty()) named.name = spec.name;
  Append(named, {spec.ports, spec.needs, spec.plugin}, position, [&](BuildContext& context) {
    PlacedStage placed = spec.make(params, context);
    placed.name = named.name;
    return placed;
  });
}

void Pipeline::Append(const StagePlace& place, const Declared& stage, const Position& position,
                      const std::function<PlacedStage(BuildContext&)>& make) {
  std::vector<int> from;
  const std::string who = WhoIs(place.name, stage.plugin);
  const ResourceUser user(resources_, who);
  try {
    from = FindInputs(place, stage.ports);
    CheckEdges(place.name, stage.ports, from);
    resources_.CheckNeeds(stage.needs);
  } catch (const Error& error) {
    throw Error(ErrorKind::kConfig, Format(position, error.what()), error.remedy());
  }
  const auto upstream = [&](std::size_t input) {
    return input < from.size() ? stages_[from[input]].any->stage().output() : ItemSpec{};
  };
  BuildContext context{
      .upstream = upstream(0),
      .provenance = {},
      .resources = resources_,
      .seed = options_.seed,
      .workers = options_.workers,
      .training = options_.training,
      .second_upstream = upstream(1),
      .is_interrupted = options_.is_interrupted,
  };
  std::vector<bool> is_before(stages_.size());
  for (const int index : from) is_before[index] = true;
  for (std::size_t i = stages_.size(); i-- > 0;) {
    if (!is_before[i]) continue;
    for (const int index : stages_[i].from) is_before[index] = true;
  }
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (is_before[i]) context.provenance.Add(stages_[i].name, stages_[i].any->stage());
  }
  PlacedStage placed = make(context);
  placed.from = std::move(from);
  for (std::size_t i = 0; i < placed.from.size(); ++i) {
    CheckTypes(stages_[placed.from[i]], placed, i == 0 ? *placed.in_type : *placed.second_in_type);
  }
  stages_.push_back(std::move(placed));
}

// Where the stages stand that it takes from. Throws Error(kConfig) where it cannot take from them.
std::vector<int> Pipeline::FindInputs(const StagePlace& place, const Ports& ports) const {
  const auto refuse = [](const std::string& what, const std::string& remedy = "") {
    throw Error(ErrorKind::kConfig, what, remedy);
  };
  const std::string quoted = "`" + place.name + "`";
  std::vector<std::string> names;
  for (const PlacedStage& placed : stages_) names.push_back(placed.name);
  if (std::find(names.begin(), names.end(), place.name) != names.end()) {
    refuse(quoted + " is in the pipeline twice", "Give one of them another name: `as: NAME`.");
  }
  const bool is_source = ports.shape == StageShape::kSource;
  if (is_source && !stages_.empty()) refuse(quoted + " is a source and can only come first");
  if (!is_source && stages_.empty()) {
    refuse("a pipeline begins with a source, " + quoted + " takes " + std::string(ports.in));
  }
  if (is_source) return {};

  const std::size_t wanted = ports.shape == StageShape::kJoin ? 2 : 1;
  std::vector<int> from;
  if (place.from.empty()) from.push_back(static_cast<int>(stages_.size()) - 1);
  for (const std::string& name : place.from) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      refuse(quoted + " takes from `" + name + "`, which is no stage before it" +
             DidYouMean(name, names));
    }
    from.push_back(static_cast<int>(found - names.begin()));
  }
  if (from.size() != wanted) {
    refuse(quoted + (wanted == 2 ? " joins two branches: `from: [ONE, OTHER]`"
                                 : " takes from one stage, not " + std::to_string(from.size())));
  }
  if (wanted == 2 && from[0] == from[1]) refuse(quoted + " takes from one stage twice");
  for (const int index : from) {
    const PlacedStage& before = stages_[index];
    if (before.shape == StageShape::kSink) {
      refuse("`" + before.name + "` is an end of the flow and gives nothing to " + quoted,
             "Say what it takes from: `from: STAGE`.");
    }
    if (before.shape == StageShape::kSource && ConsumersOf(stages_, index) > 0) {
      refuse("`" + before.name + "` is the source and gives to one stage; " + quoted +
                 " would be the second",
             "Branch off behind that one.");
    }
  }
  if (wanted == 2 && HeadOf(stages_, from[0]) != HeadOf(stages_, from[1])) {
    refuse(quoted + " joins `" + names[from[0]] + "` and `" + names[from[1]] +
               "`, whose items are not the same: on one of them they are gathered",
           "Join them before they are gathered, or behind one gathering.");
  }
  return from;
}

// Throws Error(kConfig) where what one gives is not what the other takes.
void Pipeline::CheckEdges(const std::string& name, const Ports& ports,
                          const std::vector<int>& from) const {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const PlacedStage& before = stages_[from[i]];
    const std::string takes(i == 0 ? ports.in : ports.second_in);
    if (before.out == takes) continue;
    throw Error(ErrorKind::kConfig, "`" + before.name + "` ─▶ " + std::string(before.out) + " ╳ " +
                                        takes + " ─▶ `" + name + "`: what `" + before.name +
                                        "` gives is not what `" + name + "` takes");
  }
}

const Stage* Pipeline::Find(std::string_view name) const {
  for (const PlacedStage& placed : stages_) {
    if (placed.name == name) return &placed.any->stage();
  }
  return nullptr;
}

const MemoryPlan& Pipeline::Plan(std::size_t limit_bytes, std::size_t reserve_bytes) {
  if (stages_.empty() || stages_.front().shape != StageShape::kSource) {
    throw Error(ErrorKind::kConfig, "the pipeline has no source",
                "Begin it with a stage that gives samples, such as `directory`.");
  }
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const PlacedStage& placed = stages_[i];
    placed.any->stage().set_consumers(ConsumersOf(stages_, i));
    placed.any->stage().set_may_stay_on_device(MayStayOnDevice(stages_, i));
    if (placed.shape != StageShape::kSink && placed.any->stage().consumers() == 0) {
      const bool is_last = i + 1 == stages_.size();
      throw Error(ErrorKind::kConfig,
                  (is_last ? "the pipeline ends with `" + placed.name + "`, which"
                           : "`" + placed.name + "`") +
                      " gives " + std::string(placed.out) + " to nobody",
                  "End it with a stage that takes that, such as `train`.");
    }
    if (placed.changes_input && !placed.can_copy_input &&
        ConsumersOf(stages_, placed.from.front()) > 1) {
      throw Error(
          ErrorKind::kConfig,
          "`" + placed.who() + "` changes what `" + stages_[placed.from.front()].name +
              "` gives to others too, and " + std::string(placed.in) + " cannot be copied",
          "Make it a ReadingMapStage, or give " + std::string(placed.in) + " a copy constructor.");
    }
  }
  plan_ = PlanMemory(CostsOf(stages_), limit_bytes, reserve_bytes, options_.workers);
  return plan_;
}

int Pipeline::threads() const {
  int threads = options_.workers;
  for (const PlacedStage& placed : stages_) {
    threads += placed.any->stage().footprint().waiting_calls;
  }
  return threads;
}

void Pipeline::Open(MemoryBudget& budget) {
  assert(!graph_ && plan_.levers.size() == stages_.size());
  threads_ = std::make_unique<WorkerThreads>(threads());
  stats_ = std::vector<StageStats>(stages_.size());
  held_.push_back(budget.Acquire(MemoryTag::kReserve, plan_.reserve_bytes, "the process"));
  while (shares_.size() < stages_.size()) OpenNext(budget);
  levers_ = plan_.levers;
  graph_ = BuildGraph(stages_, stats_,
                      {.budget = budget,
                       .plan = plan_,
                       .stopped = stopped_,
                       .threads = threads(),
                       .on_drop =
                           [this](const std::string& stage, const Drop& drop) {
                             if (options_.on_drop) options_.on_drop(stage, drop);
                           },
                       .trace = options_.trace});
}

void Pipeline::OpenSource(MemoryBudget& budget) {
  assert(shares_.empty() && plan_.levers.size() == stages_.size());
  OpenNext(budget);
}

// Opens the first of the stages that are not open yet: as many are as there are shares.
void Pipeline::OpenNext(MemoryBudget& budget) {
  const std::size_t i = shares_.size();
  const Footprint footprint = stages_[i].any->stage().footprint();
  const int lever = plan_.levers[i];
  const std::size_t lever_bytes =
      footprint.lever
          ? footprint.lever->BytesEach(plan_.is_low_memory) * static_cast<std::size_t>(lever)
          : 0;
  const std::string& name = stages_[i].name;
  for (const HeldPart& part : footprint.held) {
    held_.push_back(budget.Acquire(part.tag, part.bytes, name));
  }
  held_.push_back(budget.Acquire(MemoryTag::kActivation, lever_bytes, name));
  std::size_t extra_bytes = 0;
  if (plan_.has_extra[i]) {
    extra_bytes = footprint.extra->part.bytes;
    held_.push_back(budget.Acquire(footprint.extra->part.tag, extra_bytes, name));
  }
  OpenContext context{
      .budget = shares_.emplace_back(footprint.held_bytes() + lever_bytes + extra_bytes),
      .lever = lever,
      .is_low_memory = plan_.is_low_memory,
      .has_extra = plan_.has_extra[i]};
  OpenStage(stages_[i], context);
}

void Pipeline::Run(const Pass& pass) {
  assert(graph_ && "Open() comes before Run()");
  const CrashAtWork notice;
  graph_->Run(pass);
}

std::vector<Pipeline::Holding> Pipeline::holdings() const {
  std::vector<Holding> all;
  std::size_t segment = 0;
  for (const PlanRow& row : plan_.rows) {
    Holding holding{row.stage, row.what, row.bytes(), row.bytes(), row.bytes()};
    if (row.kind == PlanRow::Kind::kTickets) {
      const TicketPool& pool = graph_->pool(segment++);
      holding.bytes = pool.used_bytes();
      holding.peak_bytes = pool.peak_bytes();
    } else if (row.kind == PlanRow::Kind::kSpare) {
      // The tickets before it may have used it.
      Holding& tickets = all.back();
      holding.bytes = tickets.bytes - std::min(tickets.bytes, tickets.planned_bytes);
      holding.peak_bytes = tickets.peak_bytes - std::min(tickets.peak_bytes, tickets.planned_bytes);
      tickets.bytes -= holding.bytes;
      tickets.peak_bytes -= holding.peak_bytes;
    }
    all.push_back(std::move(holding));
  }
  return all;
}

std::size_t Pipeline::peak_leased_bytes() const {
  std::size_t bytes = 0;
  for (const Holding& holding : holdings()) bytes += holding.peak_bytes;
  return bytes;
}

std::string Pipeline::Squeeze() {
  const auto fewer = [](const std::string& stage, const std::string& what, int now, int before) {
    return "`" + stage + "`: " + what + ", " + std::to_string(now) + " in place of " +
           std::to_string(before);
  };
  // From the last segment on: batches before samples.
  for (std::size_t i = plan_.segments.size(); i-- > 0;) {
    TicketPool& pool = graph_->pool(i);
    const int before = pool.max_tickets();
    if (before <= 1) continue;
    pool.Limit(before / 2);
    return fewer(stages_[plan_.segments[i].head].name,
                 i > 0 ? "batches on their way" : "samples on their way", before / 2, before);
  }
  for (std::size_t i = stages_.size(); i-- > 0;) {
    const auto lever = stages_[i].any->stage().footprint().lever;
    if (!lever || levers_[i] <= lever->min) continue;
    const int before = std::exchange(levers_[i], std::max(lever->min, levers_[i] / 2));
    stages_[i].any->stage().LowerLever(levers_[i]);
    return fewer(stages_[i].name, lever->NameOf(plan_.is_low_memory), levers_[i], before);
  }
  return "";
}

std::vector<Pipeline::Figures> Pipeline::figures() const {
  std::vector<Figures> all;
  for (std::size_t i = 0; i < stats_.size(); ++i) {
    all.push_back({stages_[i].name, stats_[i].figures()});
  }
  return all;
}

}  // namespace weir
