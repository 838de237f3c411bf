#include "framework/graph_builder.h"

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/flow_ends.h"
#include "framework/run_state.h"

namespace weir {
namespace {

namespace flow = tbb::flow;
using Kind = Message::Kind;

using Node = flow::function_node<Message, Message>;
using Sequencer = flow::sequencer_node<Message>;
using End = flow::function_node<Message, flow::continue_msg>;
using Both = std::tuple<Message, Message>;

// A serial node that is woken by data and by memory alike. Wakes that come before it runs are one.
class Pump {
 public:
  template <class Body>
  Pump(flow::graph& graph, flow::node_priority_t priority, Body body)
      : node_(
            graph, flow::serial,
            [this, body](Message message) {
              // Acquires what was given back before the wakes that this one stands for.
              if (message.kind == Kind::kWake) woken_.exchange(false, std::memory_order_acq_rel);
              body(std::move(message));
              return flow::continue_msg();
            },
            priority) {}

  void Wake() {
    if (closed_.load(std::memory_order_acquire)) return;
    if (!woken_.exchange(true, std::memory_order_acq_rel)) {
      node_.try_put(Message{.sequence = 0, .order = 0, .kind = Kind::kWake, .packet = {}});
    }
  }
  End& node() { return node_; }

  // Nothing wakes it any more: memory that is given back while the graph is taken apart.
  void Close() { closed_.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> woken_{false};
  std::atomic<bool> closed_{false};
  End node_;
};

std::size_t LimitOf(const NodePlace& place) {
  return place.placed.concurrency == Concurrency::kSerial ? flow::serial : flow::unlimited;
}

// A stage's work on one item; what comes of it is put in `message`.
template <class Work>
void Attempt(const NodePlace& place, Message& message, const Work& work) {
  place.state.Guard(place.placed, [&] {
    Stopwatch stopwatch = place.Time(message.order);
    StageContext context = place.state.Context(message.order);
    Outcome<Packet> outcome = work(context);
    if (Drop* drop = std::get_if<Drop>(&outcome)) {
      stopwatch.set_dropped();
      place.state.Dropped(place.placed.name, *drop);
    } else {
      message.packet = std::get<Packet>(std::move(outcome));
    }
  });
}

class SourceNode {
 public:
  SourceNode(flow::graph& graph, NodePlace place, AnyStage* admission, int copies,
             const Stretch& stretch, MemoryBudget& budget)
      : out_(graph),
        source_(
            place, admission, copies, stretch, budget,
            [this](const Message& message) { out_.try_put(message); }, [this] { pump_.Wake(); }),
        pump_(graph, flow::no_priority, [this](const Message&) { source_.Drain(); }) {}

  flow::sender<Message>& out() { return out_; }
  Source& source() { return source_; }
  void Close() { pump_.Close(); }

  void BeginPass() {
    source_.BeginPass();
    pump_.Wake();
  }

 private:
  flow::broadcast_node<Message> out_;
  Source source_;
  Pump pump_;
};

class MapNode {
 public:
  MapNode(flow::graph& graph, NodePlace place, const Behind& behind, flow::node_priority_t priority)
      : node_(
            graph, LimitOf(place),
            [place, behind](Message message) {
              if (message.kind == Kind::kItem && message.packet) Work(place, behind, message);
              return message;
            },
            priority) {}

  Node& node() { return node_; }

 private:
  static void Work(const NodePlace& place, const Behind& behind, Message& message) {
    Packet in = std::exchange(message.packet, {});
    if (place.state.idle()) return;
    Attempt(place, message, [&](StageContext& context) {
      return place.stage().Map(std::move(in), behind, context);
    });
  }

  Node node_;
};

// Pairs what comes on two branches of one item.
class JoinNode {
 public:
  JoinNode(flow::graph& graph, NodePlace place, const Behind& behind,
           flow::node_priority_t priority)
      : pairs_(graph, SequenceOf, SequenceOf),
        node_(
            graph, LimitOf(place), [place, behind](Both both) { return Work(place, behind, both); },
            priority) {
    flow::make_edge(pairs_, node_);
  }

  flow::receiver<Message>& first() { return flow::input_port<0>(pairs_); }
  flow::receiver<Message>& second() { return flow::input_port<1>(pairs_); }
  flow::sender<Message>& out() { return node_; }

 private:
  static std::uint64_t SequenceOf(const Message& message) { return message.sequence; }

  static Message Work(const NodePlace& place, const Behind& behind, Both& both) {
    Message message = std::get<0>(both);
    Packet first = std::exchange(message.packet, {});
    Packet second = std::move(std::get<1>(both).packet);
    if (message.kind != Kind::kItem) return message;
    if (first && second && !place.state.idle()) {
      Attempt(place, message, [&](StageContext& context) {
        return place.stage().Join(std::move(first), std::move(second), behind, context);
      });
    } else {
      first.End();
      second.End();
    }
    return message;
  }

  flow::join_node<Both, flow::key_matching<std::uint64_t>> pairs_;
  flow::function_node<Both, Message> node_;
};

// Gives an item to several branches.
class BranchNode {
 public:
  BranchNode(flow::graph& graph, NodePlace place, flow::node_priority_t priority)
      : node_(
            graph, flow::unlimited,
            [this, place](Message message) {
              std::vector<Packet> packets(consumers_.size());
              if (message.packet) {
                place.state.Guard(place.placed, [&] { packets = message.packet.Share(branches_); });
              }
              for (std::size_t i = 0; i < consumers_.size(); ++i) {
                message.packet = std::move(packets[i]);
                consumers_[i]->try_put(message);
              }
              return flow::continue_msg();
            },
            priority) {}

  void Add(flow::receiver<Message>& consumer, const Packet::Branch& branch) {
    consumers_.push_back(&consumer);
    branches_.push_back(branch);
  }
  flow::receiver<Message>& in() { return node_; }

 private:
  std::vector<flow::receiver<Message>*> consumers_;
  std::vector<Packet::Branch> branches_;
  End node_;
};

class GatherNode {
 public:
  GatherNode(flow::graph& graph, NodePlace place, const Stretch& stretch, MemoryBudget& budget,
             flow::node_priority_t priority)
      : in_(graph, [](const Message& message) { return message.sequence; }),
        out_(graph),
        gather_(
            place, stretch, budget, [this](const Message& message) { out_.try_put(message); },
            [this] {
              pump_.Wake();
              for (const auto& wake : also_) wake();
            }),
        pump_(graph, priority, [this](Message message) {
          if (message.kind != Kind::kWake) gather_.Take(std::move(message));
          gather_.Drain();
        }) {
    flow::make_edge(in_, pump_.node());
  }

  // Whoever takes its tickets in its place is woken too.
  void AlsoWake(std::function<void()> wake) { also_.push_back(std::move(wake)); }

  flow::receiver<Message>& in() { return in_; }
  flow::sender<Message>& out() { return out_; }
  Gather& gather() { return gather_; }
  void BeginPass() { gather_.BeginPass(); }
  void Close() { pump_.Close(); }

 private:
  Sequencer in_;
  flow::broadcast_node<Message> out_;
  std::vector<std::function<void()>> also_;  // before the gather's tickets, which call them
  Gather gather_;
  Pump pump_;
};

class ReplayNode {
 public:
  ReplayNode(flow::graph& graph, NodePlace place, std::size_t item_bytes, GatherNode& gather,
             flow::node_priority_t priority)
      : out_(graph),
        replay_(place, item_bytes, gather.gather(),
                [this](const Message& message) { out_.try_put(message); }),
        pump_(graph, priority, [this](const Message&) { replay_.Drain(); }) {}

  flow::sender<Message>& out() { return out_; }
  Replay& replay() { return replay_; }
  void Wake() { pump_.Wake(); }
  void Close() { pump_.Close(); }

 private:
  flow::broadcast_node<Message> out_;
  Replay replay_;
  Pump pump_;
};

class SinkNode {
 public:
  SinkNode(flow::graph& graph, NodePlace place, flow::node_priority_t priority)
      : in_(graph, [](const Message& message) { return message.sequence; }),
        node_(
            graph, flow::serial,
            [place](Message message) {
              if (message.kind == Kind::kItem && message.packet && !place.state.idle()) {
                place.state.Guard(place.placed, [&] {
                  const Stopwatch stopwatch = place.Time(message.order);
                  StageContext context = place.state.Context(message.order);
                  place.stage().Consume(message.packet, context);
                });
              }
              return flow::continue_msg();
            },
            priority) {
    flow::make_edge(in_, node_);
  }

  flow::receiver<Message>& in() { return in_; }

 private:
  Sequencer in_;
  End node_;
};

class TbbGraph final : public Graph {
 public:
  TbbGraph(std::vector<PlacedStage>& stages, const GraphOptions& options)
      : stages_(stages),
        state_(options.stopped, options.on_drop, options.trace),
        arena_(options.workers),
        graph_(MakeGraph(arena_)) {}

  // Makes the nodes. Apart from the constructor, as TBB may be at work on the first ones when a
  // later one cannot be made: the destructor waits for that.
  void Connect(std::vector<StageStats>& stats, const GraphOptions& options) {
    costs_ = CostsOf(stages_);
    outlets_.resize(stages_.size());
    std::size_t stretch = 0;
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
              map_is_next ? BehindStage(costs_, i + 1).copies : 0,
              options.plan.stretches[stretch++], options.budget);
          Open(i, place, {&source_->out()});
          break;
        }
        case StageShape::kMap:
          maps_.push_back(std::make_unique<MapNode>(*graph_, place, behind, priority));
          TakeFrom(i, 0, maps_.back()->node());
          Open(i, place, {&maps_.back()->node()});
          if (stages_[i].may_replay && !gathers_.empty() && IsChain()) {
            replays_.push_back(std::make_unique<ReplayNode>(
                *graph_, place, costs_[i].footprint.item_bytes + behind.bytes, *gathers_.back(),
                priority));
            gathers_.back()->AlsoWake([node = replays_.back().get()] { node->Wake(); });
            outlets_[i].senders.push_back(&replays_.back()->out());
          }
          break;
        case StageShape::kJoin:
          joins_.push_back(std::make_unique<JoinNode>(*graph_, place, behind, priority));
          TakeFrom(i, 0, joins_.back()->first());
          TakeFrom(i, 1, joins_.back()->second());
          Open(i, place, {&joins_.back()->out()});
          break;
        case StageShape::kGather:
          gathers_.push_back(std::make_unique<GatherNode>(
              *graph_, place, options.plan.stretches[stretch++], options.budget, priority));
          TakeFrom(i, 0, gathers_.back()->in());
          Open(i, place, {&gathers_.back()->out()});
          break;
        case StageShape::kSink:
          sinks_.push_back(std::make_unique<SinkNode>(*graph_, place, priority));
          TakeFrom(i, 0, sinks_.back()->in());
          break;
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
    });
    state_.RethrowError();
    if (state_.stopped()) return;
    CheckNothingWaits(replay);
    for (PlacedStage& placed : stages_) {
      state_.Guard(placed, [&] { placed.any->stage().EndPass(pass); });
    }
    state_.RethrowError();
  }

  TicketPool& pool(std::size_t stretch) override {
    return stretch == 0 ? source_->source().pool() : gathers_[stretch - 1]->gather().pool();
  }

 private:
  // What gives a stage's items: to one stage by an edge, to several by a node that shares them.
  struct Outlet {
    std::vector<flow::sender<Message>*> senders;
    BranchNode* branches = nullptr;
  };

  void Open(std::size_t stage, const NodePlace& place,
            std::vector<flow::sender<Message>*> senders) {
    outlets_[stage].senders = std::move(senders);
    if (ConsumersOf(stages_, stage) < 2) return;
    branches_.push_back(std::make_unique<BranchNode>(
        *graph_, place, static_cast<flow::node_priority_t>(stage + 1)));
    outlets_[stage].branches = branches_.back().get();
    for (flow::sender<Message>* sender : outlets_[stage].senders) {
      flow::make_edge(*sender, branches_.back()->in());
    }
  }

  void TakeFrom(std::size_t stage, std::size_t input, flow::receiver<Message>& receiver) {
    const auto from = static_cast<std::size_t>(stages_[stage].from[input]);
    if (outlets_[from].branches) {
      outlets_[from].branches->Add(receiver, BranchTo(costs_, from, stage));
      return;
    }
    for (flow::sender<Message>* sender : outlets_[from].senders) {
      flow::make_edge(*sender, receiver);
    }
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
  std::vector<Outlet> outlets_;  // by stage
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
  graph->Connect(stats, options);
  return graph;
}

}  // namespace weir
