// Joins placed stages into a oneTBB flow graph. With its nodes (graph_nodes.h) the only part of
// weir that knows tbb::flow.
//
// The graph is built once and run once a pass. Between a source or gather and the next gather or
// sink at most as much is on its way as the tickets of that segment pay for, so no queue of TBB
// grows beyond them. Nothing in it ever blocks a thread: who lacks memory returns, and is woken
// when some is given back. Items keep their order number, and gathers and sinks see them in order,
// however many threads the maps before them use.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/flow/any_stage.h"
#include "framework/flow/memory_plan.h"
#include "framework/flow/stage_stats.h"
#include "framework/flow/trace.h"
#include "framework/memory/ticket.h"

namespace weir {

struct GraphOptions {
  MemoryBudget& budget;
  const MemoryPlan& plan;
  // Once set, the source gives no more and what is on its way is dropped unseen. Outlives the
  // graph.
  const std::atomic<bool>& stopped;
  int threads = 1;  // that the graph's arena has
  // Called for each lost sample, by one thread at a time.
  std::function<void(const std::string& stage, const Drop&)> on_drop;
  Trace* trace = nullptr;  // may be null; outlives the graph
};

class Graph {
 public:
  virtual ~Graph() = default;

  // Runs one pass to its end, or to where it was stopped. Throws the first error of a stage, with
  // the name of the stage; by then nothing is on its way any more and the graph can run again.
  virtual void Run(const Pass& pass) = 0;

  // What pays for what is on its way in the plan's segment of that index.
  virtual TicketPool& pool(std::size_t segment) = 0;
};

// `stages` begin with the source, each stands after those that it takes from, and their ports fit;
// `stats` has one for each. All of it must outlive the graph.
std::unique_ptr<Graph> BuildGraph(std::vector<PlacedStage>& stages, std::vector<StageStats>& stats,
                                  const GraphOptions& options);

}  // namespace weir
