// A flow from a source to a sink, planned within a ceiling and run in passes.
//
//   MemoryBudget budget(256 << 20);
//   Pipeline pipeline({.seed = 1, .workers = 2}, resources);
//   pipeline.Add(*registry.Find("directory"), params);   // ... in the order of the flow
//   pipeline.Plan(budget.limit_bytes(), reserve);         // refuses what cannot fit
//   pipeline.Open(budget);
//   pipeline.Run({.split = Split::kTrain, .epoch = 0});
//
// One thread uses a pipeline, except that Stop() and stopped() may be called from any at any time,
// and figures(), holdings() and Squeeze() from any once it is open.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/flow/memory_plan.h"
#include "framework/flow/registry.h"
#include "framework/flow/resources.h"
#include "framework/flow/stage_stats.h"
#include "framework/flow/trace.h"
#include "framework/graph/graph_builder.h"
#include "framework/memory/memory_budget.h"

namespace weir {

class WorkerThreads;

// Where a stage stands in the flow.
struct StagePlace {
  std::string name{};               // in the pipeline; empty: the stage's own
  std::vector<std::string> from{};  // those that it takes from; empty: the one before it
};

struct PipelineOptions {
  std::uint64_t seed = 1;
  // TBB threads, the calling one among them, beside those that wait (Footprint::waiting_calls).
  int workers = 1;
  bool training = true;  // whether there will be train passes
  // Called for each lost sample, by one thread at a time.
  std::function<void(const std::string& stage, const Drop&)> on_drop{};
  Trace* trace = nullptr;  // what the stages do is written there; outlives the pipeline
  std::function<bool()> is_interrupted = [] { return false; };  // BuildContext's
};

class Pipeline {
 public:
  // `resources` are used until Open() is over. What stages put there may hold leases of the
  // pipeline's, so it must end first.
  Pipeline(PipelineOptions options, Resources& resources);
  ~Pipeline();

  // Appends a stage. Throws Error(kConfig) where its parameters are wrong, its ports do not fit
  // what it takes from, or nothing gave a resource that it needs; `position` is where the file
  // names it.
  void Add(const StageSpec& spec, const YamlNode& params, const Position& position = {},
           const StagePlace& place = {});

  // The same with a stage that C++ code makes: `make` gets the BuildContext, gives a unique_ptr.
  template <class Make>
  void AddMade(const std::string& name, Make make, const std::vector<std::string>& from = {}) {
    using S = typename std::invoke_result_t<Make, BuildContext&>::element_type;
    Append({name, from}, {PortsOf<S>(), NeededBy<S>(), ""}, {},
           [&](BuildContext& context) { return Place(name, make(context)); });
  }

  // By its name; null where it is not there.
  const Stage* Find(std::string_view name) const;

  const std::vector<PlacedStage>& stages() const { return stages_; }

  // From now on called in place of PipelineOptions::on_drop. Not while Run() is in progress.
  void set_on_drop(std::function<void(const std::string& stage, const Drop&)> on_drop) {
    options_.on_drop = std::move(on_drop);
  }

  // That it works with: the workers, and those that wait.
  int threads() const;

  // Works out what the flow will hold. Throws Error(kConfig) where it has no source or no sink,
  // Error(kMemory) where `limit_bytes` is not enough.
  const MemoryPlan& Plan(std::size_t limit_bytes, std::size_t reserve_bytes);

  // Takes the planned memory from `budget`, which must outlive this, and opens the stages. Once,
  // after Plan(). Throws Error(kMemory) where `budget` has not that much left.
  void Open(MemoryBudget& budget);

  // Opens the source alone, ahead of Open() from the same budget: another pipeline runs with what
  // it has listed before this one does. Once, after Plan(). Throws as Open().
  void OpenSource(MemoryBudget& budget);

  // One pass, to its end or to where it was stopped; after Open(). Throws the first error, with its
  // stage's name; nothing is on its way any more by then.
  void Run(const Pass& pass);

  // Ends all that stands behind the source, which keeps what it leased: another pipeline goes on
  // with what it has listed. Not while Run() is in progress; no Run() any more.
  void EndBehindSource();

  // Ends the pass that runs, and all later ones, soon. Any thread; safe in a signal handler.
  void Stop() { stopped_.store(true, std::memory_order_release); }
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }

  struct Figures {
    std::string stage;
    StageFigures figures;
  };
  std::vector<Figures> figures() const;

  // Who holds what of the ledger, in the order of the plan's rows; once it is open, from any
  // thread.
  struct Holding {
    std::string stage;
    std::string what;
    std::size_t planned_bytes = 0;
    std::size_t bytes = 0;       // now; of what is held all through, what was taken
    std::size_t peak_bytes = 0;  // so far
  };
  std::vector<Holding> holdings() const;

  // The most that was leased so far: the sum of each holding's own peak.
  std::size_t peak_leased_bytes() const;

  // Makes do with less while memory is scarce around the process: each call takes one step, first
  // fewer batches on their way, then fewer samples, then less of what is done at once, down to the
  // least that works. What is computed stays the same, bit for bit. Says what it did: "`batch`:
  // batches on their way, 2 in place of 4"; empty where nothing is left to do. Any thread, one at a
  // time, also while Run() is in progress.
  std::string Squeeze();

 private:
  // What a stage declares of itself.
  struct Declared {
    Ports ports;
    std::vector<ResourceUse> needs;
    std::string plugin;
  };

  void Append(const StagePlace& place, const Declared& stage, const Position& position,
              const std::function<PlacedStage(BuildContext&)>& make);
  void OpenNext(MemoryBudget& budget);
  std::vector<int> FindInputs(const StagePlace& place, const Ports& ports) const;
  void CheckEdges(const std::string& name, const Ports& ports, const std::vector<int>& from) const;

  static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

  PipelineOptions options_;
  Resources& resources_;
  std::atomic<bool> stopped_{false};
  MemoryPlan plan_;
  std::vector<Lease> held_;          // what the stages hold for the whole run
  std::deque<MemoryBudget> shares_;  // each stage's part of that, which it leases from
  std::vector<PlacedStage> stages_;
  std::vector<StageStats> stats_;
  std::unique_ptr<WorkerThreads> threads_;  // after the graph in its end
  std::unique_ptr<Graph> graph_;
  std::vector<int> levers_;  // as granted, or as Squeeze() left them
};

}  // namespace weir
