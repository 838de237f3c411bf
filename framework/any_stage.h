// A stage of any shape behind one interface, its payloads as packets: what the graph works with.
// Only the members that the shape has may be called.
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

#include "framework/stage.h"

namespace weir {

enum class StageShape { kSource, kMap, kGather, kSink };

class AnyStage {
 public:
  virtual ~AnyStage() = default;
  virtual Stage& stage() = 0;

  virtual std::optional<Packet> Next(StageContext&) { return std::nullopt; }
  // What a source's item is called in messages: its payload's name(), where it has one.
  virtual std::string NameOf(Packet&) { return ""; }
  virtual Outcome<std::size_t> AdmissionBytes(Packet&) { return std::size_t{0}; }
  // The ticket goes from what comes in to what goes out; it shrinks to what the payload says that
  // it holds, and `downstream_bytes` for what is still before it.
  virtual Outcome<Packet> Map(Packet in, std::size_t, StageContext&) { return in; }
  virtual bool CanReplay(const Pass&) { return false; }
  virtual std::optional<Packet> Replay(StageContext&) { return std::nullopt; }
  virtual std::optional<Packet> Add(Packet, StageContext&) { return std::nullopt; }
  virtual std::optional<Packet> Flush(StageContext&) { return std::nullopt; }
  virtual void Consume(Packet, StageContext&) {}
};

// A stage with its name in the pipeline and its ports.
struct PlacedStage {
  std::string name;
  StageShape shape = StageShape::kMap;
  PortType in;               // empty for a source
  PortType out;              // empty for a sink
  const char* in_type = "";  // their C++ types, as type_info names them
  const char* out_type = "";
  std::string plugin{};  // the file that brings it; empty where it is built in
  Concurrency concurrency = Concurrency::kSerial;
  bool may_replay = false;
  std::unique_ptr<AnyStage> any;

  // In messages.
  std::string who() const { return plugin.empty() ? name : name + " (plugin '" + plugin + "')"; }
};

template <class S>
concept IsSource = std::derived_from<S, SourceStage<typename S::Output>>;
template <class S>
concept IsMap = std::derived_from<S, MapStage<typename S::Input, typename S::Output>>;
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
  } else if constexpr (IsGather<S>) {
    return StageShape::kGather;
  } else {
    static_assert(IsSink<S>, "a stage is a SourceStage, MapStage, GatherStage or SinkStage");
    return StageShape::kSink;
  }
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

  std::string NameOf(Packet& item) override {
    if constexpr (IsSource<S>) {
      auto& payload = item.Get<typename S::Output>();
      if constexpr (requires { payload.name(); }) return payload.name();
    }
    return "";
  }

  Outcome<std::size_t> AdmissionBytes(Packet& in) override {
    if constexpr (IsMap<S>) return stage_->AdmissionBytes(in.Get<typename S::Input>());
    return std::size_t{0};
  }

  Outcome<Packet> Map(Packet in, std::size_t downstream_bytes, StageContext& context) override {
    if constexpr (IsMap<S>) {
      Ticket ticket = std::move(in.ticket());
      context.set_granted_bytes(ticket.bytes() - std::min(ticket.bytes(), downstream_bytes));
      auto outcome = stage_->Map(std::move(in.Get<typename S::Input>()), context);
      if (auto* drop = std::get_if<Drop>(&outcome)) return std::move(*drop);
      auto& out = std::get<0>(outcome);
      if constexpr (requires { out.bytes(); }) ticket.ShrinkTo(out.bytes() + downstream_bytes);
      return Packet::Make(std::move(out), std::move(ticket));
    }
    return in;
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

  std::optional<Packet> Add(Packet in, StageContext& context) override {
    if constexpr (IsGather<S>) {
      if (auto out = stage_->Add(std::move(in.Get<typename S::Input>()), context)) {
        return Packet::Make(*std::move(out));
      }
    }
    return std::nullopt;
  }

  std::optional<Packet> Flush(StageContext& context) override {
    if constexpr (IsGather<S>) {
      if (auto out = stage_->Flush(context)) return Packet::Make(*std::move(out));
    }
    return std::nullopt;
  }

  void Consume(Packet in, StageContext& context) override {
    if constexpr (IsSink<S>) stage_->Consume(std::move(in.Get<typename S::Input>()), context);
  }

 private:
  std::unique_ptr<S> stage_;
};

template <class S>
PlacedStage Place(std::string name, std::unique_ptr<S> stage) {
  PlacedStage placed;
  placed.name = std::move(name);
  placed.shape = ShapeOf<S>();
  if constexpr (!IsSource<S>) {
    placed.in = S::Input::kPortType;
    placed.in_type = typeid(typename S::Input).name();
  }
  if constexpr (!IsSink<S>) {
    placed.out = S::Output::kPortType;
    placed.out_type = typeid(typename S::Output).name();
  }
  if constexpr (IsMap<S>) {
    placed.concurrency = S::kConcurrency;
    placed.may_replay = S::kMayReplay;
  }
  placed.any = std::make_unique<TypedStage<S>>(std::move(stage));
  return placed;
}

}  // namespace weir
