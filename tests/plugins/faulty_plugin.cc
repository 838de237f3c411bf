// A plugin with a stage `faulty`, which is at fault as FAULT says.
#include <csignal>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>

#include "framework/plugin/plugin_entry.h"
#include "stages/payloads.h"

#define FINE 0
#define THROWS_ON_LOAD 1
#define THROWS 2
#define CRASHES 3
#define ABORTS 4
#define LEASES_TOO_MUCH 5
#define TAKES_ANOTHER_TYPE 6
#define TAKES_A_NAME 7
#define THROWS_AT_WORK 8
#define CRASHES_AT_WORK 9
#define GIVES_TOO_LITTLE 10

namespace {

// Under a name that is taken.
struct Picture {
  static constexpr weir::PortType kPortType = weir::Image::kPortType;
};

#if FAULT == TAKES_ANOTHER_TYPE
using Payload = Picture;
#else
using Payload = weir::Image;
#endif

class Faulty final : public weir::MapStage<Payload, Payload> {
 public:
  static constexpr std::string_view kName = FAULT == TAKES_A_NAME ? "decode" : "faulty";
  static constexpr std::string_view kDoc = "Gives what it takes.";
  struct Params {
    int times = 1;
    static auto Fields() {
      return std::tuple{weir::Field{"times", &Params::times, "Nothing.", weir::Range{1, 3}}};
    }
  };

  Faulty(const Params&, weir::BuildContext& context) : upstream_(context.upstream) {
    if (FAULT == THROWS) throw std::runtime_error("there is no lens");
    if (FAULT == CRASHES) std::raise(SIGSEGV);
    if (FAULT == ABORTS) std::terminate();  // as an exception does that nobody can catch
  }

  weir::ItemSpec output() const override { return upstream_; }
  void Open(weir::OpenContext& context) override {
    if (FAULT == LEASES_TOO_MUCH) {
      const weir::Lease lease =
          context.budget.Acquire(weir::MemoryTag::kReserve, 1 << 20, "faulty");
    }
  }
  weir::Outcome<Payload> Map(Payload payload, weir::StageContext&) override {
    if (FAULT == THROWS_AT_WORK) throw std::runtime_error("the lens broke");
    if (FAULT == CRASHES_AT_WORK) std::raise(SIGSEGV);
#if FAULT == GIVES_TOO_LITTLE
    payload.pixels = weir::AlignedBuffer<std::uint8_t>(300);
#endif
    return payload;
  }

 private:
  const weir::ItemSpec upstream_;
};

}  // namespace

void weir_plugin::AddStages(weir::Registry& registry) {
  if (FAULT == THROWS_ON_LOAD) throw std::runtime_error("there is no licence");
  registry.Add<Faulty>();
}
