// The nodes of a graph: what stages are to TBB. For graph_builder.cc alone.
//
// A node gives what its stage makes to those that follow; memory and order are looked after where
// the flow's ends are (flow_ends.h). One thread makes them; TBB's threads run them.
//
// A node of several parts is made first and its parts joined afterwards, by Join(): an edge from a
// part that holds messages gives TBB work to do at once, which a node that is only half made and
// given up again would not outlive.
#pragma once

#include <tbb/flow_graph.h>

#include <atomic>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/flow/memory_plan.h"
#include "framework/graph/flow_ends.h"
#include "framework/graph/run_state.h"

namespace weir::graph_nodes {

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

inline std::size_t LimitOf(const NodePlace& place) {
  if (place.placed.concurrency == Concurrency::kSerial) return flow::serial;
  const int waiting = place.stage().stage().footprint().waiting_calls;
  if (waiting > 0) return static_cast<std::size_t>(waiting);
  return flow::unlimited;
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
             const Segment& segment, MemoryBudget& budget)
      : graph_(graph),
        out_(graph),
        source_(
            place, admission, copies, segment, budget,
            [this](const Message& message) { out_.try_put(message); }, [this] { pump_.Wake(); }),
        pump_(graph, flow::no_priority, [this](const Message&) {
          source_.Drain();
          KeepGraph(source_.waits_for_stage());
        }) {}

  flow::sender<Message>& out() { return out_; }
  Source& source() { return source_; }
  void Close() {
    EndPass();
    pump_.Close();
  }

  void BeginPass() {
    source_.BeginPass();
    source_.stage().set_on_ready([this] {
      // It is no thread of the graph's, which could end between the two halves of Wake().
      graph_.reserve_wait();
      pump_.Wake();
      graph_.release_wait();
    });
    pump_.Wake();
  }
  void EndPass() { source_.stage().set_on_ready({}); }

 private:
  // The graph is not done where it only waits for what comes from elsewhere.
  void KeepGraph(bool waits) {
    if (waits == keeps_graph_) return;
    keeps_graph_ = waits;
    if (waits) {
      graph_.reserve_wait();
    } else {
      graph_.release_wait();
    }
  }

  flow::graph& graph_;
  bool keeps_graph_ = false;
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
            priority) {}

  void Join() { flow::make_edge(pairs_, node_); }
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
  GatherNode(flow::graph& graph, NodePlace place, const Segment& segment, MemoryBudget& budget,
             flow::node_priority_t priority)
      : in_(graph, [](const Message& message) { return message.sequence; }),
        out_(graph),
        gather_(
            place, segment, budget, [this](const Message& message) { out_.try_put(message); },
            [this] {
              pump_.Wake();
              for (const auto& wake : also_) wake();
            }),
        pump_(graph, priority, [this](Message message) {
          if (message.kind != Kind::kWake) gather_.Take(std::move(message));
          gather_.Drain();
        }) {}

  void Join() { flow::make_edge(in_, pump_.node()); }

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
            priority) {}

  void Join() { flow::make_edge(in_, node_); }

  flow::receiver<Message>& in() { return in_; }

 private:
  Sequencer in_;
  End node_;
};

}  // namespace weir::graph_nodes
