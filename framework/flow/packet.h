// What travels between stages: a small handle on one payload and the ticket that pays for it.
//
// TBB copies its messages, so copies share the payload; a packet has one logical owner at a time,
// and only that one may touch it. Where the flow branches off, Share() makes a packet of one
// payload for each branch: then the payload is read by all, and copied for whoever wants to change
// it while another still needs it. A payload is any movable type with a stable name of its own:
//
//   struct Image { static constexpr PortType kPortType = "image/u8hwc"; ... };
//
// The name is the same in every shared object, where a type_info need not be.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/memory/ticket.h"

namespace weir {

using PortType = std::string_view;

class Packet {
 public:
  Packet() = default;  // empty: no payload, no ticket

  template <class T>
  static Packet Make(T payload, Ticket ticket = {}) {
    Packet packet;
    packet.holder_ = std::make_shared<Holder<T>>(std::move(payload), std::move(ticket));
    return packet;
  }

  explicit operator bool() const { return holder_ != nullptr; }
  PortType type() const { return holder_ ? holder_->type : PortType(); }

  // Until Take() or Finish(). Throws Error(kInternal) where the payload is of another type.
  template <class T>
  const T& Get() const {
    return *Payload<T>();
  }

  // The payload itself, to be changed; the tickets that the packet has are put in `ticket`. A copy
  // where another branch still needs it. Ends the packet.
  template <class T>
  T Take(Ticket& ticket) {
    std::optional<T>& payload = Payload<T>();
    const auto take = [&](T taken) {
      ticket = Finish();
      return taken;
    };
    if (!share_ || holder_->owners.load(std::memory_order_acquire) == 1) {
      return take(*std::move(payload));
    }
    if constexpr (std::copy_constructible<T>) return take(std::as_const(*payload));
    throw Error(ErrorKind::kInternal, std::string(T::kPortType) + " cannot be copied");
  }

  // Ends the packet: its part in the payload, which goes where no other packet has one. Gives the
  // tickets that it had.
  Ticket Finish() {
    if (!holder_) return {};
    if (!share_) {
      holder_->Clear();
      return std::move(holder_->ticket);
    }
    Ticket ticket = std::move(share_->ticket);
    if (share_->End()) ticket.Absorb(std::move(holder_->ticket));
    return ticket;
  }

  // The same, and gives them back.
  void End() { const Ticket given_back = Finish(); }

  // What pays for the way that is before it.
  Ticket& ticket() { return share_ ? share_->ticket : holder_->ticket; }

  // What a branch needs: for what stands on it, and for copies of the payload, of the usual size
  // where it does not say how large it is.
  struct Branch {
    std::size_t bytes = 0;
    int copies = 0;
    std::size_t copy_bytes = 0;
  };
  // A packet of the same payload for each branch, in their order, each with its part of the ticket;
  // what is left stays with the payload. Of a packet that is no such part itself, and is not used
  // afterwards.
  std::vector<Packet> Share(std::span<const Branch> branches) {
    std::vector<Packet> packets;
    holder_->owners.store(0, std::memory_order_relaxed);
    for (const Branch& branch : branches) {
      const std::size_t copies =
          static_cast<std::size_t>(branch.copies) * holder_->bytes().value_or(branch.copy_bytes);
      Packet packet;
      packet.holder_ = holder_;
      packet.share_ =
          std::make_shared<Shared>(holder_, holder_->ticket.SplitOff(branch.bytes + copies));
      packets.push_back(std::move(packet));
    }
    return packets;
  }

 private:
  struct AnyHolder {
    AnyHolder(PortType port_type, Ticket paid) : type(port_type), ticket(std::move(paid)) {}
    virtual ~AnyHolder() = default;
    virtual std::optional<std::size_t> bytes() const = 0;
    virtual void Clear() = 0;
    PortType type;
    Ticket ticket;  // declared before the payload, so that it ends after it
    std::atomic<int> owners{1};
  };
  template <class T>
  struct Holder final : AnyHolder {
    Holder(T value, Ticket paid)
        : AnyHolder(T::kPortType, std::move(paid)), payload(std::move(value)) {}
    std::optional<std::size_t> bytes() const override {
      if constexpr (requires { payload->bytes(); }) return payload->bytes();
      return std::nullopt;
    }
    void Clear() override { payload.reset(); }
    std::optional<T> payload;
  };

  // A branch's part in a payload.
  struct Shared {
    Shared(std::shared_ptr<AnyHolder> of, Ticket part)
        : holder(std::move(of)), ticket(std::move(part)) {
      holder->owners.fetch_add(1, std::memory_order_relaxed);
    }
    ~Shared() { End(); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    // Whether the payload went with it.
    bool End() {
      if (std::exchange(has_ended, true)) return false;
      if (holder->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return false;
      holder->Clear();
      return true;
    }

    std::shared_ptr<AnyHolder> holder;
    Ticket ticket;
    bool has_ended = false;
  };

  template <class T>
  std::optional<T>& Payload() const {
    if (type() != T::kPortType) {
      throw Error(ErrorKind::kInternal, "a packet of " + std::string(type()) + " was read as " +
                                            std::string(T::kPortType));
    }
    return static_cast<Holder<T>&>(*holder_).payload;
  }

  std::shared_ptr<AnyHolder> holder_;
  std::shared_ptr<Shared> share_;  // null where the payload has one owner
};

}  // namespace weir
