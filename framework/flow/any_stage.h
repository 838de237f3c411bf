// A stage of any shape behind one interface, its payloads as packets: what the graph works with.
// Only the members that the shape has may be called.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "framework/flow/stage.h"

namespace weir {

enum class StageShape { kSource, kMap, kJoin, kGather, kSink };

// What an item still needs after a stage, to the end of its segment.
struct Behind {
  std::size_t bytes = 0;  // what the item takes in the stages there
  // How many copies of what the stage gives are made for stages that change it, those that follow
  // a stage that works in place included.
  int copies = 0;
};

class AnyStage {
 public:
  virtual ~AnyStage() = default;
  virtual Stage& stage() = 0;

  virtual std::optional<Packet> Next(StageContext&) { return std::nullopt; }
  virtual bool IsReady() { return true; }
  // NOLINTNEXTLINE(performance-unnecessary-value-param): whoever overrides it keeps it
  virtual void set_on_ready(std::function<void()>) {}
  // What a source's item is called in messages: its payload's name(), where it has one.
  virtual std::string NameOf(Packet&) { return ""; }
  virtual Outcome<std::size_t> AdmissionBytes(Packet&) { return std::size_t{0}; }
  // The ticket goes from what comes in to what goes out; it shrinks to what the payload says that
  // it holds, and to what is still before it.
  virtual Outcome<Packet> Map(Packet in, const Behind&, StageContext&) { return in; }
  virtual Outcome<Packet> Join(Packet first, Packet, const Behind&, StageContext&) { return first; }
  virtual bool CanReplay(const Pass&) { return false; }
  virtual std::optional<Packet> Replay(StageContext&) { return std::nullopt; }
  virtual std::optional<Packet> Add(Packet&, StageContext&) { return std::nullopt; }
  virtual std::optional<Packet> Complete(StageContext&) { return std::nullopt; }
  virtual std::optional<Packet> Flush(StageContext&) { return std::nullopt; }
  virtual void Consume(Packet&, StageContext&) {}
};

// What a stage takes and gives; empty where it does not.
struct Ports {
  StageShape shape = StageShape::kMap;
  PortType in{};
  PortType second_in{};  // what a join takes from its second branch
  PortType out{};
};

// A stage in messages: its name in the pipeline and the file that brings it.
inline std::string WhoIs(const std::string& name, const std::string& plugin) {
  return plugin.empty() ? name : name + " (plugin '" + plugin + "')";
}

// A stage with its name in the pipeline and its ports.
struct PlacedStage : Ports {
  std::string name{};
  std::vector<int> from{};  // where in the pipeline those stand that it takes from
  // The ports' C++ types; null where there is no such port.
  const std::type_info* in_type = nullptr;
  const std::type_info* second_in_type = nullptr;
  const std::type_info* out_type = nullptr;
  std::string plugin{};  // the file that brings it; empty where it is built in
  Concurrency concurrency = Concurrency::kSerial;
  bool changes_input = false;  // so that it needs a copy where others read it
  bool can_copy_input = true;
  bool may_replay = false;
  bool takes_from_device = false;
  std::unique_ptr<AnyStage> any{};

  std::string who() const { return WhoIs(name, plugin); }
};

// How many stages take what the one at `index` gives.
inline int ConsumersOf(const std::vector<PlacedStage>& stages, std::size_t index) {
  int consumers = 0;
  for (const PlacedStage& placed : stages) {
    consumers += static_cast<int>(
        std::count(placed.from.begin(), placed.from.end(), static_cast<int>(index)));
  }
  return consumers;
}

// Whether all of those, and there are some, take it where a device has it.
inline bool MayStayOnDevice(const std::vector<PlacedStage>& stages, std::size_t index) {
  const auto takes = [index](const PlacedStage& placed) {
    return std::count(placed.from.begin(), placed.from.end(), static_cast<int>(index)) > 0;
  };
  return ConsumersOf(stages, index) > 0 &&
         std::all_of(stages.begin(), stages.end(), [&](const PlacedStage& placed) {
           return !takes(placed) || placed.takes_from_device;
         });
}

template <class S>
concept IsSource = std::derived_from<S, SourceStage<typename S::Output>>;
template <class S>
concept IsReadingMap = std::derived_from<S, ReadingMapStage<typename S::Input, typename S::Output>>;
template <class S>
concept IsMap =
    IsReadingMap<S> || std::derived_from<S, MapStage<typename S::Input, typename S::Output>>;
template <class S>
concept IsJoin =
    std::derived_from<S, JoinStage<typename S::Input, typename S::SecondInput, typename S::Output>>;
template <class S>
concept IsGather = std::derived_from<S, GatherStage<typename S::Input, typename S::Output>>;
template <class S>
concept IsSink = std::derived_from<S, SinkStage<typename S::Input>>;

template <class S>
constexpr StageShape ShapeOf() {
  if constexpr (IsSource<S>) {
    return StageShape::kSource;
  } else if constexpr (IsMap<S>) {
    return StageShape::kMap;
  } else if constexpr (IsJoin<S>) {
    return StageShape::kJoin;
  } else if constexpr (IsGather<S>) {
    return StageShape::kGather;
  } else {
    static_assert(IsSink<S>,
                  "a stage is a SourceStage, a map, a JoinStage, GatherStage or SinkStage");
    return StageShape::kSink;
  }
}

template <class S>
Ports PortsOf() {
  Ports ports{.shape = ShapeOf<S>()};
  if constexpr (!IsSource<S>) ports.in = S::Input::kPortType;
  if constexpr (IsJoin<S>) ports.second_in = S::SecondInput::kPortType;
  if constexpr (!IsSink<S>) ports.out = S::Output::kPortType;
  return ports;
}

template <class S>
class TypedStage final : public AnyStage {
 public:
  explicit TypedStage(std::unique_ptr<S> stage) : stage_(std::move(stage)) {}

  Stage& stage() override { return *stage_; }

  std::optional<Packet> Next(StageContext& context) override {
    if constexpr (IsSource<S>) {
      if (auto out = stage_->Next(context)) return Packet::Make(*std::move(out));
    }
    return std::nullopt;
  }

  bool IsReady() override {
    if constexpr (IsSource<S>) return stage_->IsReady();
    return true;
  }

  void set_on_ready(std::function<void()> on_ready) override {
    if constexpr (IsSource<S>) stage_->set_on_ready(std::move(on_ready));
  }

  std::string NameOf(Packet& item) override {
    if constexpr (IsSource<S>) {
      const auto& payload = item.Get<typename S::Output>();
      if constexpr (requires { payload.name(); }) return payload.name();
    }
    return "";
  }

  Outcome<std::size_t> AdmissionBytes(Packet& in) override {
    if constexpr (IsMap<S>) return stage_->AdmissionBytes(in.Get<typename S::Input>());
    return std::size_t{0};
  }

  Outcome<Packet> Map(Packet in, const Behind& behind, StageContext& context) override {
    if constexpr (IsMap<S>) {
      const std::size_t before = in.ticket().bytes() - std::min(in.ticket().bytes(), behind.bytes);
      context.set_granted_bytes(before / static_cast<std::size_t>(1 + behind.copies));
      Ticket ticket;
      if constexpr (IsReadingMap<S>) {
        auto outcome = stage_->Map(in.Get<typename S::Input>(), context);
        ticket = in.Finish();
        return Given(std::move(outcome), std::move(ticket), behind);
      } else {
        auto outcome = stage_->Map(in.Take<typename S::Input>(ticket), context);
        return Given(std::move(outcome), std::move(ticket), behind);
      }
    }
    return in;
  }

  Outcome<Packet> Join(Packet first, Packet second, const Behind& behind,
                       StageContext& context) override {
    if constexpr (IsJoin<S>) {
      auto outcome = stage_->Join(first.Get<typename S::Input>(),
                                  second.Get<typename S::SecondInput>(), context);
      Ticket ticket = first.Finish();
      ticket.Absorb(second.Finish());
      return Given(std::move(outcome), std::move(ticket), behind);
    }
    return first;
  }

  bool CanReplay(const Pass& pass) override {
    if constexpr (IsMap<S>) return stage_->CanReplay(pass);
    return false;
  }

  std::optional<Packet> Replay(StageContext& context) override {
    if constexpr (IsMap<S>) {
      if (auto out = stage_->Replay(context)) return Packet::Make(*std::move(out));
    }
    return std::nullopt;
  }

  std::optional<Packet> Add(Packet& in, StageContext& context) override {
    if constexpr (IsGather<S>) {
      auto out = stage_->Add(in.Get<typename S::Input>(), context);
      in.End();
      if (out) return Packet::Make(*std::move(out));
    }
    return std::nullopt;
  }

  std::optional<Packet> Complete(StageContext& context) override {
    if constexpr (IsGather<S>) {
      if (auto out = stage_->Complete(context)) return Packet::Make(*std::move(out));
    }
    return std::nullopt;
  }

  std::optional<Packet> Flush(StageContext& context) override {
    if constexpr (IsGather<S>) {
      if (auto out = stage_->Flush(context)) return Packet::Make(*std::move(out));
    }
    return std::nullopt;
  }

  void Consume(Packet& in, StageContext& context) override {
    if constexpr (IsSink<S>) {
      stage_->Consume(in.Get<typename S::Input>(), context);
      in.End();
    }
  }

 private:
  template <class Out>
  static Outcome<Packet> Given(Outcome<Out>&& outcome, Ticket ticket, const Behind& behind) {
    if (auto* drop = std::get_if<Drop>(&outcome)) return std::move(*drop);
    Out& out = std::get<Out>(outcome);
    if constexpr (requires { out.is_whole(); }) {
      if (!out.is_whole()) {
        throw Error(ErrorKind::kInternal, "it gives " + std::string(Out::kPortType) +
                                              " with less in it than its size says");
      }
    }
    if constexpr (requires { out.bytes(); }) {
      ticket.ShrinkTo(out.bytes() * static_cast<std::size_t>(1 + behind.copies) + behind.bytes);
    }
    return Packet::Make(std::move(out), std::move(ticket));
  }

  std::unique_ptr<S> stage_;
};

template <class S>
PlacedStage Place(std::string name, std::unique_ptr<S> stage) {
  PlacedStage placed{PortsOf<S>()};
  placed.name = std::move(name);
  if constexpr (!IsSource<S>) placed.in_type = &typeid(typename S::Input);
  if constexpr (!IsSink<S>) placed.out_type = &typeid(typename S::Output);
  if constexpr (IsMap<S>) {
    placed.concurrency = S::kConcurrency;
    placed.may_replay = S::kMayReplay;
    placed.changes_input = !IsReadingMap<S>;
    placed.can_copy_input = std::copy_constructible<typename S::Input>;
  }
  if constexpr (IsSink<S>) placed.takes_from_device = S::kTakesFromDevice;
  if constexpr (IsJoin<S>) {
    placed.concurrency = S::kConcurrency;
    placed.second_in_type = &typeid(typename S::SecondInput);
  }
  placed.any = std::make_unique<TypedStage<S>>(std::move(stage));
  return placed;
}

}  // namespace weir
