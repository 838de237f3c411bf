// What travels between stages: a small handle on one payload and the ticket that pays for it.
//
// TBB copies its messages, so copies share the payload; the flow has one logical owner at a time,
// and only that one may touch it. A payload is any movable type with a stable name of its own:
//
//   struct Image { static constexpr PortType kPortType = "image/u8hwc"; ... };
//
// The name is the same in every shared object, where a type_info need not be.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "framework/error.h"
#include "framework/ticket.h"

namespace weir {

using PortType = std::string_view;

class Packet {
 public:
  Packet() = default;  // empty: no payload, no ticket

  template <class T>
  static Packet Make(T payload, Ticket ticket = {}) {
    Packet packet;
    packet.box_ = std::make_shared<Box<T>>(std::move(payload), std::move(ticket));
    return packet;
  }

  explicit operator bool() const { return box_ != nullptr; }
  PortType type() const { return box_ ? box_->type : PortType(); }

  // Throws Error(kInternal) where the payload is of another type.
  template <class T>
  T& Get() {
    if (type() != T::kPortType) {
      throw Error(ErrorKind::kInternal, "a packet of " + std::string(type()) + " was read as " +
                                            std::string(T::kPortType));
    }
    return static_cast<Box<T>&>(*box_).payload;
  }

  Ticket& ticket() { return box_->ticket; }

 private:
  struct AnyBox {
    AnyBox(PortType port_type, Ticket paid) : type(port_type), ticket(std::move(paid)) {}
    virtual ~AnyBox() = default;
    PortType type;
    Ticket ticket;  // declared before the payload, so that it ends after it
  };
  template <class T>
  struct Box final : AnyBox {
    Box(T value, Ticket paid) : AnyBox(T::kPortType, std::move(paid)), payload(std::move(value)) {}
    T payload;
  };

  std::shared_ptr<AnyBox> box_;
};

}  // namespace weir
