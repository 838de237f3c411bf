// A graph of small stages, as tests of the flow build it.
#pragma once

#include <tbb/global_control.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/graph/graph_builder.h"
#include "tests/framework/flow/test_stages.h"

namespace weir::testing {

// A flow of its own budget, and what came out of it.
class Flow {
 public:
  explicit Flow(std::size_t limit_bytes, int workers = 4)
      : budget_(limit_bytes),
        workers_(workers),
        threads_(tbb::global_control::max_allowed_parallelism, workers) {}

  // Takes from the stage before it, or from those that From() named last.
  template <class S, class... Arguments>
  Flow& Add(const std::string& name, Arguments&&... arguments) {
    stages_.push_back(Place(name, std::make_unique<S>(std::forward<Arguments>(arguments)...)));
    if (stages_.back().shape == StageShape::kSource) return *this;
    if (from_.empty()) from_ = {static_cast<int>(stages_.size()) - 2};
    stages_.back().from = std::exchange(from_, {});
    return *this;
  }
  // What the next stage takes from, by index.
  Flow& From(std::vector<int> from) {
    from_ = std::move(from);
    return *this;
  }
  Flow& AddCollect(std::function<void()> meanwhile = [] {}) {
    return Add<Collect>("collect", batches, std::move(meanwhile));
  }

  void Run(const Pass& pass = {}) {
    if (!graph_) {
      plan_ = PlanMemory(CostsOf(stages_), budget_.usage().limit_bytes, 0, workers_);
      stats = std::vector<StageStats>(stages_.size());
      graph_ = BuildGraph(stages_, stats,
                          {.budget = budget_,
                           .plan = plan_,
                           .stopped = stopped_,
                           .threads = workers_,
                           .on_drop = [this](const std::string& stage, const Drop& drop) {
                             drops[drop.sample] = stage + ": " + drop.reason;
                           }});
    }
    graph_->Run(pass);
  }
  void Stop() { stopped_ = true; }
  std::size_t used_bytes(std::size_t segment) { return graph_->pool(segment).used_bytes(); }
  std::size_t peak_bytes(std::size_t segment) { return graph_->pool(segment).peak_bytes(); }
  const MemoryPlan& plan() const { return plan_; }

  std::vector<int> values() const {
    std::vector<int> all;
    for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
    return all;
  }

  std::vector<std::vector<int>> batches;
  std::map<std::string, std::string> drops;
  std::vector<StageStats> stats;

 private:
  MemoryBudget budget_;
  std::atomic<bool> stopped_{false};
  int workers_;
  tbb::global_control threads_;
  std::vector<PlacedStage> stages_;
  std::vector<int> from_;
  MemoryPlan plan_;
  std::unique_ptr<Graph> graph_;
};

inline std::vector<int> UpTo(int count) {
  std::vector<int> all(count);
  for (int i = 0; i < count; ++i) all[i] = i;
  return all;
}

}  // namespace weir::testing
