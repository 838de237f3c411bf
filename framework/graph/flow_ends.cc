#include "framework/graph/flow_ends.h"

#include <limits>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

TicketPool::Size PoolSize(const Segment& segment) {
  return {.bytes = segment.pool_bytes,
          .lent_bytes = segment.lent_bytes,
          .max_tickets = segment.max_tickets,
          .busy_tickets = segment.busy_tickets};
}

}  // namespace

Source::Source(NodePlace place, AnyStage* admission, int copies, const Segment& segment,
               MemoryBudget& budget, Give give, std::function<void()> wake)
    : place_(place),
      admission_(admission),
      times_(static_cast<std::size_t>(1 + copies)),
      rest_bytes_(segment.item_bytes -
                  (admission ? admission->stage().footprint().item_bytes * times_ : 0)),
      pool_(budget, MemoryTag::kImage, PoolSize(segment)),
      give_(std::move(give)) {
  pool_.set_on_release(std::move(wake));
}

void Source::BeginPass() {
  ended_ = false;
  waiting_.reset();
  order_ = place_.state.pass().first_sample;
}

void Source::Drain() {
  waits_for_stage_ = false;
  place_.state.Guard(place_.placed, [this] {
    while (!ended_ && !place_.state.idle() && Prepare()) {
      auto ticket = pool_.TryAcquire(waiting_->bytes);
      if (!ticket) return;  // woken when some is given back
      waiting_->packet.ticket() = *std::move(ticket);
      give_(Message{.sequence = sequence_++,
                    .order = order_++,
                    .kind = Message::Kind::kItem,
                    .packet = std::move(waiting_->packet)});
      waiting_.reset();
    }
    if (place_.state.idle()) waiting_.reset();
  });
}

// Makes the next item wait for its ticket; false at the end, or where the run is being stopped.
bool Source::Prepare() {
  while (!waiting_ && !place_.state.idle()) {
    waits_for_stage_ = !place_.stage().IsReady();
    if (waits_for_stage_) return false;
    StageContext context = place_.state.Context(order_);
    Stopwatch stopwatch = place_.Time(order_);
    std::optional<Packet> packet = place_.stage().Next(context);
    if (!packet) {
      stopwatch.Discard();
      ended_ = true;
      give_(Message{
          .sequence = sequence_++, .order = order_, .kind = Message::Kind::kEnd, .packet = {}});
      return false;
    }
    const Outcome<std::size_t> bytes = TicketBytes(*packet);
    if (const Drop* drop = std::get_if<Drop>(&bytes)) {
      stopwatch.set_dropped();
      place_.state.Dropped(place_.placed.name, *drop);
      ++order_;  // it had its place in the order; nothing of it goes on
    } else {
      waiting_ = Waiting{*std::move(packet), std::get<std::size_t>(bytes)};
    }
  }
  return waiting_.has_value();
}

Outcome<std::size_t> Source::TicketBytes(Packet& packet) {
  Outcome<std::size_t> first = std::size_t{0};
  if (admission_) first = admission_->AdmissionBytes(packet);
  if (std::holds_alternative<Drop>(first)) return first;
  const std::size_t bytes = std::get<std::size_t>(first);
  if (bytes <= (pool_.limit_bytes() - rest_bytes_) / times_) return bytes * times_ + rest_bytes_;
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  const std::size_t needed =
      bytes > (kMost - rest_bytes_) / times_ ? kMost : bytes * times_ + rest_bytes_;
  return Drop{place_.stage().NameOf(packet), "needs " + ToRoundText(ByteSize{needed}) +
                                                 " on its way, the ceiling leaves " +
                                                 ToRoundText(ByteSize{pool_.limit_bytes()})};
}

Gather::Gather(NodePlace place, const Segment& segment, MemoryBudget& budget, Give give,
               std::function<void()> wake)
    : place_(place),
      item_bytes_(segment.item_bytes),
      pool_(budget, MemoryTag::kBatch, PoolSize(segment)),
      give_(std::move(give)) {
  pool_.set_on_release(std::move(wake));
}

void Gather::BeginPass() {
  inbox_.clear();
  ticket_.reset();
  order_ = 0;
}

void Gather::Drain() {
  place_.state.Guard(place_.placed, [this] {
    while (!inbox_.empty()) {
      Message& message = inbox_.front();
      if (place_.state.idle()) message.packet = {};
      if (message.kind == Message::Kind::kEnd) {
        Finish(message.order);
      } else if (!message.packet) {
        CompleteBefore(message.order + 1);
      } else {
        CompleteBefore(message.order);
        if (!ticket_) ticket_ = pool_.TryAcquire(item_bytes_);
        if (!ticket_) return;  // woken when an output ends
        const Stopwatch stopwatch = place_.Time(message.order);
        StageContext context = place_.state.Context(message.order);
        Emit(place_.stage().Add(message.packet, context));
      }
      inbox_.pop_front();
    }
  });
  if (place_.state.idle()) inbox_.clear();
}

// Gives the output that is complete once every item before `order` was added or dropped.
void Gather::CompleteBefore(std::uint64_t order) {
  if (!ticket_ || place_.state.idle()) return;
  StageContext context = place_.state.Context(order);
  Emit(place_.stage().Complete(context));
}

void Gather::Finish(std::uint64_t items) {
  CompleteBefore(items);
  if (ticket_ && !place_.state.idle()) {
    StageContext context = place_.state.Context(items);
    Emit(place_.stage().Flush(context));
  }
  ticket_.reset();
  give_(
      Message{.sequence = sequence_++, .order = order_, .kind = Message::Kind::kEnd, .packet = {}});
}

void Gather::Emit(std::optional<Packet> packet) {
  if (!packet) return;
  packet->ticket() = *std::exchange(ticket_, std::nullopt);
  give_(Message{.sequence = sequence_++,
                .order = order_++,
                .kind = Message::Kind::kItem,
                .packet = *std::move(packet)});
}

void Replay::BeginPass() {
  order_ = 0;
  ended_ = false;
}

void Replay::Drain() {
  place_.state.Guard(place_.placed, [this] {
    while (!ended_ && !place_.state.idle()) {
      auto ticket = gather_.pool_.TryAcquire(item_bytes_);
      if (!ticket) return;  // woken when an item ends
      StageContext context = place_.state.Context(order_);
      Stopwatch stopwatch = place_.Time(order_);
      std::optional<Packet> packet = place_.stage().Replay(context);
      ended_ = !packet;
      Message message{.sequence = gather_.sequence_++,
                      .order = order_++,
                      .kind = packet ? Message::Kind::kItem : Message::Kind::kEnd,
                      .packet = {}};
      if (packet) {
        message.packet = *std::move(packet);
        message.packet.ticket() = *std::move(ticket);
      } else {
        stopwatch.Discard();
      }
      give_(message);
    }
  });
}

}  // namespace weir
