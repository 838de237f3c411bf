#include "framework/graph_builder.h"

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

namespace flow = tbb::flow;

enum class Kind {
  kItem,  // a packet; empty where the sample was dropped
  kWake,  // no item: memory was given back
  kEnd,   // the pass is over: what is gathered is given on
};

struct Message {
  std::uint64_t sequence = 0;  // in its stretch, over all passes: what the sequencers go by
  std::uint64_t order = 0;     // in the pass: what stages see
  Kind kind = Kind::kItem;
  Packet packet;
};

using Node = flow::function_node<Message, Message>;
using Sequencer = flow::sequencer_node<Message>;
using End = flow::function_node<Message, flow::continue_msg>;

// Shared by all nodes: whether to go on, and why not.
class RunState {
 public:
  explicit RunState(const GraphOptions& options) : options_(options) {}

  void BeginPass(const Pass& pass) {
    pass_ = pass;
    error_ = nullptr;
    failed_.store(false, std::memory_order_release);
  }

  const Pass& pass() const { return pass_; }
  bool stopped() const { return options_.stopped.load(std::memory_order_acquire); }
  bool idle() const { return stopped() || failed_.load(std::memory_order_acquire); }

  StageContext Context(std::uint64_t order) const {
    return {pass_, order, [this] { return idle(); }};
  }

  void Dropped(const std::string& stage, const Drop& drop) {
    const std::lock_guard lock(mutex_);
    if (options_.on_drop) options_.on_drop(stage, drop);
  }

  // Runs the work of a stage; its exception ends the run, under the stage's name.
  template <class Work>
  void Guard(const std::string& stage, Work work) {
    try {
      work();
    } catch (const Error& error) {
      Fail(Error(error.kind(), "stage " + stage + ": " + error.what(), error.remedy()));
    } catch (const std::bad_alloc&) {
      Fail(Error(ErrorKind::kMemory, "stage " + stage + ": the system has no more memory",
                 "Lower memory.host, or free memory on this machine."));
    } catch (const std::exception& error) {
      Fail(Error(ErrorKind::kInternal, "stage " + stage + ": " + error.what()));
    } catch (...) {
      Fail(Error(ErrorKind::kInternal, "stage " + stage + ": threw what is no exception"));
    }
  }

  void RethrowError() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void Fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::make_exception_ptr(error);
    failed_.store(true, std::memory_order_release);
  }

  const GraphOptions& options_;
  Pass pass_;
  std::mutex mutex_;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};
};

// Adds the time of one call to a stage's figures.
class Stopwatch {
 public:
  explicit Stopwatch(StageStats& stats) : stats_(stats) {}
  ~Stopwatch() {
    if (counts_) stats_.Add(std::chrono::steady_clock::now() - begin_, dropped_);
  }
  void set_dropped() { dropped_ = true; }
  void Discard() { counts_ = false; }

 private:
  StageStats& stats_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  bool dropped_ = false;
  bool counts_ = true;
};

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

// What every node needs of its stage.
struct Place {
  PlacedStage& placed;
  StageStats& stats;
  RunState& state;
  AnyStage& stage() const { return *placed.any; }
};

// Gives items into the flow as fast as tickets allow.
class SourceNode {
 public:
  SourceNode(flow::graph& graph, Place place, AnyStage* admission, const Stretch& stretch,
             const GraphOptions& options, MemoryTag tag)
      : place_(place),
        admission_(admission),
        item_bytes_(stretch.item_bytes),
        pool_(options.budget, tag, stretch.pool_bytes, stretch.max_tickets),
        admission_bytes_(admission ? admission->stage().footprint().item_bytes : 0),
        out_(graph),
        pump_(graph, flow::no_priority, [this](const Message&) { Drain(); }) {
    pool_.set_on_release([this] { pump_.Wake(); });
  }

  flow::sender<Message>& out() { return out_; }
  bool ended() const { return ended_; }
  void Close() { pump_.Close(); }
  std::size_t peak_ticket_bytes() const { return pool_.peak_bytes(); }

  void BeginPass() {
    ended_ = false;
    waiting_.reset();
    order_ = place_.state.pass().first_sample;
    pump_.Wake();
  }

 private:
  struct Waiting {
    Packet packet;
    std::size_t bytes;
  };

  void Drain() {
    place_.state.Guard(place_.placed.name, [this] {
      while (!ended_ && !place_.state.idle() && Prepare()) {
        auto ticket = pool_.TryAcquire(waiting_->bytes);
        if (!ticket) {
          if (waiting_->bytes <= pool_.limit_bytes()) return;  // woken when some is given back
          throw Error(ErrorKind::kInternal, "admitted what can never fit");
        }
        waiting_->packet.ticket() = *std::move(ticket);
        out_.try_put(Message{.sequence = sequence_++,
                             .order = order_++,
                             .kind = Kind::kItem,
                             .packet = std::move(waiting_->packet)});
        waiting_.reset();
      }
      if (place_.state.idle()) waiting_.reset();
    });
  }

  // Makes the next item wait for its ticket; false at the end, or where the run is being stopped.
  bool Prepare() {
    while (!waiting_ && !place_.state.idle()) {
      StageContext context = place_.state.Context(order_);
      Stopwatch stopwatch(place_.stats);
      std::optional<Packet> packet = place_.stage().Next(context);
      if (!packet) {
        stopwatch.Discard();
        ended_ = true;
        out_.try_put(
            Message{.sequence = sequence_++, .order = order_, .kind = Kind::kEnd, .packet = {}});
        return false;
      }
      Outcome<std::size_t> bytes = std::size_t{0};
      if (admission_) bytes = admission_->AdmissionBytes(*packet);
      Drop* drop = std::get_if<Drop>(&bytes);
      if (!drop) {
        const std::size_t first = std::get<std::size_t>(bytes);
        const std::size_t rest = item_bytes_ - admission_bytes_;  // of the other stages
        if (first <= pool_.limit_bytes() - rest) {  // their sum may be beyond std::size_t
          waiting_ = Waiting{*std::move(packet), first + rest};
          return true;
        }
        bytes = TooLarge(*packet, std::max(first, first + rest));
        drop = std::get_if<Drop>(&bytes);
      }
      stopwatch.set_dropped();
      place_.state.Dropped(place_.placed.name, *drop);
      ++order_;  // it had its place in the order; nothing of it goes on
    }
    return waiting_.has_value();
  }

  Drop TooLarge(Packet& packet, std::size_t bytes) {
    return {place_.stage().NameOf(packet), "needs " + ToRoundText(ByteSize{bytes}) +
                                               " on its way, the ceiling leaves " +
                                               ToRoundText(ByteSize{pool_.limit_bytes()})};
  }

  Place place_;
  AnyStage* admission_;
  const std::size_t item_bytes_;
  TicketPool pool_;
  const std::size_t admission_bytes_;
  flow::broadcast_node<Message> out_;
  Pump pump_;
  std::optional<Waiting> waiting_;
  std::uint64_t sequence_ = 0;
  std::uint64_t order_ = 0;
  bool ended_ = false;
};

class MapNode {
 public:
  MapNode(flow::graph& graph, Place place, std::size_t downstream_bytes,
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
  static void Work(const Place& place, std::size_t downstream_bytes, Message& message) {
    Packet in = std::exchange(message.packet, {});
    if (place.state.idle()) return;
    place.state.Guard(place.placed.name, [&] {
      Stopwatch stopwatch(place.stats);
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

// Makes many items into one, in order. An output is begun only with a ticket for the whole of it.
class GatherNode {
 public:
  GatherNode(flow::graph& graph, Place place, const Stretch& stretch, const GraphOptions& options,
             flow::node_priority_t priority)
      : place_(place),
        item_bytes_(stretch.item_bytes),
        pool_(options.budget, MemoryTag::kBatch, stretch.pool_bytes, stretch.max_tickets),
        in_(graph, [](const Message& message) { return message.sequence; }),
        out_(graph),
        pump_(graph, priority, [this](Message message) {
          if (message.kind != Kind::kWake) inbox_.push_back(std::move(message));
          Drain();
        }) {
    pool_.set_on_release([this] { pump_.Wake(); });
    flow::make_edge(in_, pump_.node());
  }

  flow::receiver<Message>& in() { return in_; }
  flow::sender<Message>& out() { return out_; }
  const std::string& name() const { return place_.placed.name; }
  bool waits() const { return !inbox_.empty(); }
  void Close() { pump_.Close(); }
  std::size_t peak_ticket_bytes() const { return pool_.peak_bytes(); }

  void BeginPass() {
    inbox_.clear();
    ticket_.reset();
    order_ = 0;
  }

 private:
  void Drain() {
    place_.state.Guard(place_.placed.name, [this] {
      while (!inbox_.empty()) {
        Message& message = inbox_.front();
        if (place_.state.idle()) message.packet = {};
        if (message.kind == Kind::kEnd) {
          Finish();
        } else if (message.packet) {
          if (!ticket_) ticket_ = pool_.TryAcquire(item_bytes_);
          if (!ticket_) return;  // woken when an output ends
          Stopwatch stopwatch(place_.stats);
          StageContext context = place_.state.Context(message.order);
          Emit(place_.stage().Add(std::move(message.packet), context));
        }
        inbox_.pop_front();
      }
    });
    if (place_.state.idle()) inbox_.clear();
  }

  void Finish() {
    if (ticket_ && !place_.state.idle()) {
      StageContext context = place_.state.Context(order_);
      Emit(place_.stage().Flush(context));
    }
    ticket_.reset();
    out_.try_put(
        Message{.sequence = sequence_++, .order = order_, .kind = Kind::kEnd, .packet = {}});
  }

  void Emit(std::optional<Packet> packet) {
    if (!packet) return;
    packet->ticket() = *std::exchange(ticket_, std::nullopt);
    out_.try_put(Message{.sequence = sequence_++,
                         .order = order_++,
                         .kind = Kind::kItem,
                         .packet = *std::move(packet)});
  }

  Place place_;
  const std::size_t item_bytes_;
  TicketPool pool_;
  Sequencer in_;
  flow::broadcast_node<Message> out_;
  Pump pump_;
  std::deque<Message> inbox_;     // bounded by the tickets of the stretch before
  std::optional<Ticket> ticket_;  // of the output that is being filled
  std::uint64_t sequence_ = 0;
  std::uint64_t order_ = 0;
};

class SinkNode {
 public:
  SinkNode(flow::graph& graph, Place place, flow::node_priority_t priority)
      : in_(graph, [](const Message& message) { return message.sequence; }),
        node_(
            graph, flow::serial,
            [place](Message message) {
              if (message.kind == Kind::kItem && message.packet && !place.state.idle()) {
                place.state.Guard(place.placed.name, [&] {
                  Stopwatch stopwatch(place.stats);
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
  TbbGraph(std::vector<PlacedStage>& stages, std::vector<StageStats>& stats,
           const GraphOptions& options)
      : stages_(stages),
        options_(options),
        state_(options_),
        arena_(options.workers),
        graph_(MakeGraph(arena_)) {
    flow::sender<Message>* last = nullptr;
    std::size_t stretch = 0;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const Place place{stages[i], stats[i], state_};
      // Later stages first: what is nearly done gives its memory back soonest.
      const auto priority = static_cast<flow::node_priority_t>(i + 1);
      switch (stages[i].shape) {
        case StageShape::kSource: {
          const bool map_is_next = i + 1 < stages.size() && stages[i + 1].shape == StageShape::kMap;
          source_ = std::make_unique<SourceNode>(
              *graph_, place, map_is_next ? stages[i + 1].any.get() : nullptr,
              options.plan.stretches[stretch++], options, MemoryTag::kImage);
          last = &source_->out();
          break;
        }
        case StageShape::kMap:
          maps_.push_back(std::make_unique<MapNode>(*graph_, place, DownstreamBytes(i), priority));
          flow::make_edge(*last, maps_.back()->node());
          last = &maps_.back()->node();
          break;
        case StageShape::kGather:
          gathers_.push_back(std::make_unique<GatherNode>(
              *graph_, place, options.plan.stretches[stretch++], options, priority));
          flow::make_edge(*last, gathers_.back()->in());
          last = &gathers_.back()->out();
          break;
        case StageShape::kSink:
          sink_ = std::make_unique<SinkNode>(*graph_, place, priority);
          flow::make_edge(*last, sink_->in());
          break;
      }
    }
  }

  ~TbbGraph() override {
    if (source_) source_->Close();
    for (auto& gather : gathers_) gather->Close();
    graph_->wait_for_all();
  }

  void Run(const Pass& pass) override {
    state_.BeginPass(pass);
    if (state_.stopped()) return;
    for (PlacedStage& placed : stages_) {
      state_.Guard(placed.name, [&] { placed.any->stage().BeginPass(pass); });
    }
    state_.RethrowError();
    for (auto& gather : gathers_) gather->BeginPass();
    arena_.execute([this] {
      source_->BeginPass();
      graph_->wait_for_all();
    });
    state_.RethrowError();
    if (state_.stopped()) return;
    CheckNothingWaits();
    for (PlacedStage& placed : stages_) {
      state_.Guard(placed.name, [&] { placed.any->stage().EndPass(pass); });
    }
    state_.RethrowError();
  }

  std::size_t peak_ticket_bytes() const override {
    std::size_t bytes = source_->peak_ticket_bytes();
    for (const auto& gather : gathers_) bytes += gather->peak_ticket_bytes();
    return bytes;
  }

 private:
  // A graph belongs to the arena in which it is made.
  static std::unique_ptr<flow::graph> MakeGraph(tbb::task_arena& arena) {
    std::unique_ptr<flow::graph> graph;
    arena.execute([&] { graph = std::make_unique<flow::graph>(); });
    return graph;
  }

  void CheckNothingWaits() const {
    const std::string* waiting = source_->ended() ? nullptr : &stages_.front().name;
    for (const auto& gather : gathers_) {
      if (gather->waits()) waiting = &gather->name();
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
  const GraphOptions options_;
  RunState state_;
  tbb::task_arena arena_;
  std::unique_ptr<flow::graph> graph_;
  std::unique_ptr<SourceNode> source_;
  std::vector<std::unique_ptr<MapNode>> maps_;
  std::vector<std::unique_ptr<GatherNode>> gathers_;
  std::unique_ptr<SinkNode> sink_;
};

}  // namespace

std::unique_ptr<Graph> BuildGraph(std::vector<PlacedStage>& stages, std::vector<StageStats>& stats,
                                  const GraphOptions& options) {
  return std::make_unique<TbbGraph>(stages, stats, options);
}

}  // namespace weir
