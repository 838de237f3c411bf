#include "framework/graph_builder.h"

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <utility>

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

class SourceNode {
 public:
  SourceNode(flow::graph& graph, NodePlace place, AnyStage* admission, const Stretch& stretch,
             MemoryBudget& budget)
      : out_(graph),
        source_(
            place, admission, stretch, budget,
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
  MapNode(flow::graph& graph, NodePlace place, std::size_t downstream_bytes,
          flow::node_priority_t priority)
      : node_(
            graph,
            place.placed.concurrency == Concurrency::kSerial ? flow::serial : flow::unlimited,
            [place, downstream_bytes](Message message) {
              if (message.kind == Kind::kItem && message.packet) {
                Work(place, downstream_bytes, message);
              }
              return message;
            },
            priority) {}

  Node& node() { return node_; }

 private:
  static void Work(const NodePlace& place, std::size_t downstream_bytes, Message& message) {
    Packet in = std::exchange(message.packet, {});
    if (place.state.idle()) return;
    place.state.Guard(place.placed, [&] {
      Stopwatch stopwatch = place.Time(message.order);
      StageContext context = place.state.Context(message.order);
      Outcome<Packet> outcome = place.stage().Map(std::move(in), downstream_bytes, context);
      if (Drop* drop = std::get_if<Drop>(&outcome)) {
        stopwatch.set_dropped();
        place.state.Dropped(place.placed.name, *drop);
      } else {
        message.packet = std::get<Packet>(std::move(outcome));
      }
    });
  }

  Node node_;
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
                  place.stage().Consume(std::move(message.packet), context);
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
    std::vector<flow::sender<Message>*> last;  // what gives the next stage its items
    const auto give_to = [&last](flow::receiver<Message>& next) {
      for (flow::sender<Message>* sender : last) flow::make_edge(*sender, next);
    };
    std::size_t stretch = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const NodePlace place{stages_[i], stats[i], state_};
      // Later stages first: what is nearly done gives its memory back soonest.
      const auto priority = static_cast<flow::node_priority_t>(i + 1);
      switch (stages_[i].shape) {
        case StageShape::kSource: {
          const bool map_is_next =
              i + 1 < stages_.size() && stages_[i + 1].shape == StageShape::kMap;
          source_ = std::make_unique<SourceNode>(*graph_, place,
                                                 map_is_next ? stages_[i + 1].any.get() : nullptr,
                                                 options.plan.stretches[stretch++], options.budget);
          last = {&source_->out()};
          break;
        }
        case StageShape::kMap:
          maps_.push_back(std::make_unique<MapNode>(*graph_, place, DownstreamBytes(i), priority));
          give_to(maps_.back()->node());
          last = {&maps_.back()->node()};
          if (stages_[i].may_replay && !gathers_.empty()) {
            const std::size_t item_bytes =
                stages_[i].any->stage().footprint().item_bytes + DownstreamBytes(i);
            replays_.push_back(std::make_unique<ReplayNode>(*graph_, place, item_bytes,
                                                            *gathers_.back(), priority));
            gathers_.back()->AlsoWake([node = replays_.back().get()] { node->Wake(); });
            last.push_back(&replays_.back()->out());
          }
          break;
        case StageShape::kGather:
          gathers_.push_back(std::make_unique<GatherNode>(
              *graph_, place, options.plan.stretches[stretch++], options.budget, priority));
          give_to(gathers_.back()->in());
          last = {&gathers_.back()->out()};
          break;
        case StageShape::kSink:
          sink_ = std::make_unique<SinkNode>(*graph_, place, priority);
          give_to(sink_->in());
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

  // What an item still needs after stage `i`, to the end of its stretch.
  std::size_t DownstreamBytes(std::size_t i) const {
    std::size_t bytes = 0;
    for (++i; i < stages_.size() && stages_[i].shape != StageShape::kGather; ++i) {
      bytes += stages_[i].any->stage().footprint().item_bytes;
    }
    return bytes;
  }

  std::vector<PlacedStage>& stages_;
  RunState state_;
  tbb::task_arena arena_;
  std::unique_ptr<flow::graph> graph_;
  std::unique_ptr<SourceNode> source_;
  std::vector<std::unique_ptr<MapNode>> maps_;
  std::vector<std::unique_ptr<GatherNode>> gathers_;
  std::vector<std::unique_ptr<ReplayNode>> replays_;
  std::unique_ptr<SinkNode> sink_;
};

}  // namespace

std::unique_ptr<Graph> BuildGraph(std::vector<PlacedStage>& stages, std::vector<StageStats>& stats,
                                  const GraphOptions& options) {
  auto graph = std::make_unique<TbbGraph>(stages, options);
  graph->Connect(stats, options);
  return graph;
}

}  // namespace weir
