#include "framework/pipeline.h"

// Public from oneTBB 2021.6 on, a preview in the 2021.5 of Ubuntu 22.04.
#define TBB_PREVIEW_WAITING_FOR_WORKERS 1
#include <cxxabi.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "framework/error.h"

namespace weir {

// Lets TBB use as many threads as were asked for, more than there are cores too; ends with the last
// of them, so that none is on its way out while the libraries that it used are taken apart.
class Pipeline::Threads {
 public:
  explicit Threads(int workers)
      : handle_(tbb::attach{}),
        control_(std::in_place, tbb::global_control::max_allowed_parallelism,
                 static_cast<std::size_t>(workers)) {}
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() {
    control_.reset();
    tbb::finalize(handle_, std::nothrow);  // false where the program itself still uses TBB
  }

 private:
  tbb::task_scheduler_handle handle_;
  std::optional<tbb::global_control> control_;
};

namespace {

std::string TypeName(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : mangled;
}

// Two shared objects may use one name for two types.
void CheckTypes(const PlacedStage& before, const PlacedStage& placed) {
  if (before.out != placed.in || std::strcmp(before.out_type, placed.in_type) == 0) return;
  throw Error(ErrorKind::kConfig,
              "what `" + placed.who() + "` calls " + std::string(placed.in) + " is the type " +
                  TypeName(placed.in_type) + ", and what `" + before.who() + "` gives is " +
                  TypeName(before.out_type),
              "Use the payload's own header, or a port type of another name.");
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

void Pipeline::Add(const StageSpec& spec, const YamlNode& params, const Position& position) {
  const auto blame = [&](const std::string& what) {
    throw Error(ErrorKind::kConfig, Format(position, what));
  };
  if (stages_.empty() && spec.shape != StageShape::kSource) {
    blame("a pipeline begins with a source, `" + spec.name + "` takes " + spec.in);
  }
  if (!stages_.empty()) {
    const PlacedStage& before = stages_.back();
    if (spec.shape == StageShape::kSource) {
      blame("`" + spec.name + "` is a source and can only come first");
    }
    if (before.shape == StageShape::kSink) {
      blame("`" + before.name + "` ends the pipeline, nothing can follow it");
    }
    if (before.out != spec.in) {
      blame("`" + spec.name + "` takes " + spec.in + ", but `" + before.name +
            "` before it gives " + std::string(before.out));
    }
  }
  for (const PlacedStage& placed : stages_) {
    if (placed.name == spec.name) blame("`" + spec.name + "` is in the pipeline twice");
  }
  Append([&](BuildContext& context) { return spec.make(params, context); });
}

void Pipeline::Append(const std::function<PlacedStage(BuildContext&)>& make) {
  BuildContext context{
      .upstream = stages_.empty() ? ItemSpec{} : stages_.back().any->stage().output(),
      .provenance = {},
      .resources = resources_,
      .seed = options_.seed,
      .workers = options_.workers,
      .training = options_.training,
  };
  for (const PlacedStage& placed : stages_) {
    context.provenance.Add(placed.name, placed.any->stage());
  }
  PlacedStage placed = make(context);
  if (!stages_.empty()) CheckTypes(stages_.back(), placed);
  stages_.push_back(std::move(placed));
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
  if (stages_.back().shape != StageShape::kSink) {
    throw Error(ErrorKind::kConfig,
                "the pipeline ends with `" + stages_.back().name + "`, which gives " +
                    std::string(stages_.back().out) + " to nobody",
                "End it with a stage that takes that, such as `train`.");
  }
  std::vector<StageCost> costs;
  for (const PlacedStage& placed : stages_) {
    costs.push_back({placed.name, placed.shape, placed.any->stage().footprint()});
  }
  plan_ = PlanMemory(costs, limit_bytes, reserve_bytes, options_.workers);
  return plan_;
}

void Pipeline::Open(MemoryBudget& budget) {
  assert(!graph_ && plan_.levers.size() == stages_.size());
  threads_ = std::make_unique<Threads>(options_.workers);
  stats_ = std::vector<StageStats>(stages_.size());
  held_.push_back(budget.Acquire(MemoryTag::kReserve, plan_.reserve_bytes, "the process"));
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const Footprint footprint = stages_[i].any->stage().footprint();
    const int lever = plan_.levers[i];
    const std::size_t lever_bytes = footprint.lever ? footprint.lever->BytesEach(plan_.is_frugal) *
                                                          static_cast<std::size_t>(lever)
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
        .is_frugal = plan_.is_frugal,
        .has_extra = plan_.has_extra[i]};
    OpenStage(stages_[i], context);
  }
  levers_ = plan_.levers;
  graph_ = BuildGraph(stages_, stats_,
                      {.budget = budget,
                       .plan = plan_,
                       .stopped = stopped_,
                       .workers = options_.workers,
                       .on_drop = options_.on_drop,
                       .trace = options_.trace});
}

void Pipeline::Run(const Pass& pass) {
  assert(graph_ && "Open() comes before Run()");
  graph_->Run(pass);
}

std::vector<Pipeline::Holding> Pipeline::holdings() const {
  std::vector<Holding> all;
  std::size_t stretch = 0;
  for (const PlanRow& row : plan_.rows) {
    Holding holding{row.stage, row.what, row.bytes(), row.bytes(), row.bytes()};
    if (row.kind == PlanRow::Kind::kTickets) {
      const TicketPool& pool = graph_->pool(stretch++);
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
  // From the last stretch on: batches before samples.
  for (std::size_t i = plan_.stretches.size(); i-- > 0;) {
    TicketPool& pool = graph_->pool(i);
    const int before = pool.max_tickets();
    if (before <= 1) continue;
    pool.Limit(before / 2);
    return fewer(stages_[plan_.stretches[i].head].name,
                 i > 0 ? "batches on their way" : "samples on their way", before / 2, before);
  }
  for (std::size_t i = stages_.size(); i-- > 0;) {
    const auto lever = stages_[i].any->stage().footprint().lever;
    if (!lever || levers_[i] <= lever->min) continue;
    const int before = std::exchange(levers_[i], std::max(lever->min, levers_[i] / 2));
    stages_[i].any->stage().LowerLever(levers_[i]);
    return fewer(stages_[i].name, lever->NameOf(plan_.is_frugal), levers_[i], before);
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
