// Where the flow's memory is asked for: the source that admits samples, and the gather that begins
// outputs. What they do, apart from the graph that calls them.
//
// One thread at a time calls BeginPass, Drain and Take; `wake` is called by whichever thread gives
// memory back, must be quick, and leads to a Drain. Neither ever blocks: what does not fit now is
// left for the next Drain.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "framework/flow/memory_plan.h"
#include "framework/flow/packet.h"
#include "framework/graph/run_state.h"
#include "framework/memory/ticket.h"

namespace weir {

// What goes from node to node.
struct Message {
  enum class Kind {
    kItem,  // a packet; empty where the sample was dropped
    kWake,  // no item: memory was given back
    kEnd,   // the pass is over: what is gathered is given on
  };
  std::uint64_t sequence = 0;  // in its segment, over all passes: what puts it in order
  std::uint64_t order = 0;     // in the pass: what stages see
  Kind kind = Kind::kItem;
  Packet packet;
};

using Give = std::function<void(const Message&)>;

// Gives items into the flow as fast as tickets allow.
class Source {
 public:
  // `admission` is the stage that knows what an item of the source will take, null where none does,
  // and `copies` how many are made of what that gives.
  Source(NodePlace place, AnyStage* admission, int copies, const Segment& segment,
         MemoryBudget& budget, Give give, std::function<void()> wake);

  void BeginPass();
  void Drain();

  bool ended() const { return ended_; }
  // Whether the last Drain ended because the stage has nothing to give yet.
  bool waits_for_stage() const { return waits_for_stage_; }
  AnyStage& stage() { return place_.stage(); }
  TicketPool& pool() { return pool_; }

 private:
  struct Waiting {
    Packet packet;
    std::size_t bytes;
  };

  bool Prepare();
  Outcome<std::size_t> TicketBytes(Packet& packet);

  NodePlace place_;
  AnyStage* admission_;
  std::size_t times_;       // what the stage that admits asks for is taken so often
  std::size_t rest_bytes_;  // what an item takes behind the stage that admits, in bytes
  TicketPool pool_;
  Give give_;
  std::optional<Waiting> waiting_;  // an item that waits for its ticket
  std::uint64_t sequence_ = 0;
  std::uint64_t order_ = 0;
  bool ended_ = false;
  bool waits_for_stage_ = false;
};

class Replay;

// Makes many items into one, in order. An output is begun only with a ticket for the whole of it.
class Gather {
 public:
  Gather(NodePlace place, const Segment& segment, MemoryBudget& budget, Give give,
         std::function<void()> wake);

  void BeginPass();
  void Take(Message message) { inbox_.push_back(std::move(message)); }
  void Drain();

  const std::string& name() const { return place_.placed.name; }
  bool waits() const { return !inbox_.empty(); }
  TicketPool& pool() { return pool_; }

 private:
  friend class Replay;
  void CompleteBefore(std::uint64_t order);
  void Finish(std::uint64_t items);
  void Emit(std::optional<Packet> packet);

  NodePlace place_;
  std::size_t item_bytes_;
  TicketPool pool_;
  Give give_;
  std::deque<Message> inbox_;     // bounded by the tickets of the segment before
  std::optional<Ticket> ticket_;  // what pays for the output that is being filled
  std::uint64_t sequence_ = 0;
  std::uint64_t order_ = 0;
};

// Gives a pass what a stage behind a gather has kept (MapStage::Replay), in place of all that
// stands before it. The gather has nothing to do then: its tickets pay, its sequence goes on.
class Replay {
 public:
  // An item takes `item_bytes` at that stage and behind it.
  Replay(NodePlace place, std::size_t item_bytes, Gather& gather, Give give)
      : place_(place), item_bytes_(item_bytes), gather_(gather), give_(std::move(give)) {}

  bool CanReplay(const Pass& pass) { return place_.stage().CanReplay(pass); }
  void BeginPass();
  void Drain();

  const std::string& name() const { return place_.placed.name; }
  bool ended() const { return ended_; }

 private:
  NodePlace place_;
  std::size_t item_bytes_;
  Gather& gather_;
  Give give_;
  std::uint64_t order_ = 0;
  bool ended_ = true;  // outside of its passes
};

}  // namespace weir
