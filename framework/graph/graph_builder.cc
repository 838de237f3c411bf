#include "framework/graph/graph_builder.h"

#include <tbb/task_arena.h>

#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/graph/graph_nodes.h"
#include "framework/graph/run_state.h"

namespace weir {
namespace {

namespace flow = tbb::flow;
using graph_nodes::BranchNode;
using graph_nodes::GatherNode;
using graph_nodes::JoinNode;
using graph_nodes::MapNode;
using graph_nodes::ReplayNode;
using graph_nodes::SinkNode;
using graph_nodes::SourceNode;

class TbbGraph final : public Graph {
 public:
  TbbGraph(std::vector<PlacedStage>& stages, const GraphOptions& options)
      : stages_(stages),
        state_(options.stopped, options.on_drop, options.trace),
        arena_(options.threads),
        graph_(MakeGraph(arena_)) {}

  // Makes all nodes first, which gives TBB nothing to do, then joins them, which may. Whatever
  // fails on the way, every node is there until the destructor has waited for that work.
  void Build(std::vector<StageStats>& stats, const GraphOptions& options) {
    MakeNodes(stats, options);
    for (const auto& join : joins_) join->Join();
    for (const auto& gather : gathers_) gather->Join();
    for (const auto& sink : sinks_) sink->Join();
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      for (std::size_t input = 0; input < ends_[i].receivers.size(); ++input) TakeFrom(i, input);
      if (!ends_[i].branches) continue;
      for (flow::sender<Message>* sender : ends_[i].senders) {
        flow::make_edge(*sender, ends_[i].branches->in());
      }
    }
  }

  ~TbbGraph() override {
    if (source_) source_->Close();
    for (auto& gather : gathers_) gather->Close();
    for (auto& replay : replays_) replay->Close();
    graph_->wait_for_all();
  }

  void Run(const Pass& pass) override {
    state_.BeginPass(pass);
    if (state_.stopped()) return;
    for (PlacedStage& placed : stages_) {
      state_.Guard(placed, [&] { placed.any->stage().BeginPass(pass); });
    }
    state_.RethrowError();
    for (auto& gather : gathers_) gather->BeginPass();
    ReplayNode* const replay = FindReplay(pass);
    arena_.execute([this, replay] {
      if (replay) {
        replay->replay().BeginPass();
        replay->Wake();
      } else {
        source_->BeginPass();
      }
      graph_->wait_for_all();
      source_->EndPass();
      graph_->wait_for_all();  // for those that its source has woken meanwhile
    });
    state_.RethrowError();
    if (state_.stopped()) return;
    CheckNothingWaits(replay);
    arena_.execute([&] {  // so that what a stage works out at the end is done by its workers
      for (PlacedStage& placed : stages_) {
        state_.Guard(placed, [&] { placed.any->stage().EndPass(pass); });
      }
    });
    state_.RethrowError();
  }

  TicketPool& pool(std::size_t segment) override {
    return segment == 0 ? source_->source().pool() : gathers_[segment - 1]->gather().pool();
  }

 private:
  // Where a stage's items come in and go out: to one stage by an edge, to several by a node that
  // shares them.
  struct Ends {
    std::vector<flow::receiver<Message>*> receivers;  // by input
    std::vector<flow::sender<Message>*> senders;
    BranchNode* branches = nullptr;
  };

  void MakeNodes(std::vector<StageStats>& stats, const GraphOptions& options) {
    costs_ = CostsOf(stages_);
    ends_.resize(stages_.size());
    std::size_t segment = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const NodePlace place{stages_[i], stats[i], state_};
      const Behind behind = BehindStage(costs_, i);
      // Later stages first: what is nearly done gives its memory back soonest.
      const auto priority = static_cast<flow::node_priority_t>(i + 1);
      switch (stages_[i].shape) {
        case StageShape::kSource: {
          const bool map_is_next =
              i + 1 < stages_.size() && stages_[i + 1].shape == StageShape::kMap;
          source_ = std::make_unique<SourceNode>(
              *graph_, place, map_is_next ? stages_[i + 1].any.get() : nullptr,
              map_is_next ? BehindStage(costs_, i + 1).copies : 0, options.plan.segments[segment++],
              options.budget);
          ends_[i] = {{}, {&source_->out()}};
          break;
        }
        case StageShape::kMap:
          maps_.push_back(std::make_unique<MapNode>(*graph_, place, behind, priority));
          ends_[i] = {{&maps_.back()->node()}, {&maps_.back()->node()}};
          if (stages_[i].may_replay && !gathers_.empty() && IsChain()) {
            replays_.push_back(std::make_unique<ReplayNode>(
                *graph_, place, costs_[i].footprint.item_bytes + behind.bytes, *gathers_.back(),
                priority));
            gathers_.back()->AlsoWake([node = replays_.back().get()] { node->Wake(); });
            ends_[i].senders.push_back(&replays_.back()->out());
          }
          break;
        case StageShape::kJoin:
          joins_.push_back(std::make_unique<JoinNode>(*graph_, place, behind, priority));
          ends_[i] = {{&joins_.back()->first(), &joins_.back()->second()}, {&joins_.back()->out()}};
          break;
        case StageShape::kGather:
          gathers_.push_back(std::make_unique<GatherNode>(
              *graph_, place, options.plan.segments[segment++], options.budget, priority));
          ends_[i] = {{&gathers_.back()->in()}, {&gathers_.back()->out()}};
          break;
        case StageShape::kSink:
          sinks_.push_back(std::make_unique<SinkNode>(*graph_, place, priority));
          ends_[i] = {{&sinks_.back()->in()}, {}};
          break;
      }
      if (ConsumersOf(stages_, i) > 1) {
        branches_.push_back(std::make_unique<BranchNode>(*graph_, place, priority));
        ends_[i].branches = branches_.back().get();
      }
    }
  }

  void TakeFrom(std::size_t stage, std::size_t input) {
    flow::receiver<Message>& receiver = *ends_[stage].receivers[input];
    const auto from = static_cast<std::size_t>(stages_[stage].from[input]);
    if (ends_[from].branches) {
      ends_[from].branches->Add(receiver, BranchTo(costs_, from, stage));
      return;
    }
    for (flow::sender<Message>* sender : ends_[from].senders) flow::make_edge(*sender, receiver);
  }

  bool IsChain() const {
    for (std::size_t i = 1; i < stages_.size(); ++i) {
      if (stages_[i].from != std::vector<int>{static_cast<int>(i) - 1}) return false;
    }
    return true;
  }

  // A graph belongs to the arena in which it is made.
  static std::unique_ptr<flow::graph> MakeGraph(tbb::task_arena& arena) {
    std::unique_ptr<flow::graph> graph;
    arena.execute([&] { graph = std::make_unique<flow::graph>(); });
    return graph;
  }

  // The last stage that can give the whole pass by itself; null where none can.
  ReplayNode* FindReplay(const Pass& pass) {
    ReplayNode* found = nullptr;
    for (const auto& replay : replays_) {
      if (replay->replay().CanReplay(pass)) found = replay.get();
    }
    return found;
  }

  void CheckNothingWaits(ReplayNode* replay) const {
    const std::string* waiting = nullptr;
    if (replay) {
      if (!replay->replay().ended()) waiting = &replay->replay().name();
    } else if (!source_->source().ended()) {
      waiting = &stages_.front().name;
    }
    for (const auto& gather : gathers_) {
      if (gather->gather().waits()) waiting = &gather->gather().name();
    }
    if (!waiting) return;
    throw Error(ErrorKind::kInternal, "the flow stands still: stage " + *waiting +
                                          " waits for memory that nobody gives back");
  }

  std::vector<PlacedStage>& stages_;
  RunState state_;
  tbb::task_arena arena_;
  std::unique_ptr<flow::graph> graph_;
  std::unique_ptr<SourceNode> source_;
  std::vector<StageCost> costs_;
  std::vector<Ends> ends_;  // by stage
  std::vector<std::unique_ptr<BranchNode>> branches_;
  std::vector<std::unique_ptr<MapNode>> maps_;
  std::vector<std::unique_ptr<JoinNode>> joins_;
  std::vector<std::unique_ptr<GatherNode>> gathers_;
  std::vector<std::unique_ptr<ReplayNode>> replays_;
  std::vector<std::unique_ptr<SinkNode>> sinks_;
};

}  // namespace

std::unique_ptr<Graph> BuildGraph(std::vector<PlacedStage>& stages, std::vector<StageStats>& stats,
                                  const GraphOptions& options) {
  auto graph = std::make_unique<TbbGraph>(stages, options);
  graph->Build(stats, options);
  return graph;
}

}  // namespace weir
