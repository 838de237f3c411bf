// What a stage is. There are five shapes:
//
//   SourceStage<Out>      begins the flow: Next() until there is no more
//   MapStage<In, Out>     one in, one out (or a Drop); many at once unless it says kSerial.
//                         ReadingMapStage, where it leaves what comes in as it is
//   JoinStage<A, B, Out>  one of each of two branches in, one out: of the same item
//   GatherStage<In, Out>  many in, one out, in order: batching
//   SinkStage<In>         ends the flow, in order
//
// Where the flow branches off, all branches get the same payload: a map that changes it gets a copy
// of its own, the others read what there is.
//
// A stage is a whole declaration: its name, its parameters, what it costs, and its work:
//
//   class Sepia final : public MapStage<Image, Image> {
//    public:
//     static constexpr std::string_view kName = "sepia";
//     static constexpr std::string_view kDoc = "Tones pictures brown.";
//     struct Params { double strength = 1; static auto Fields() {...} };
//     Sepia(const Params& params, BuildContext& context);
//     Outcome<Image> Map(Image image, StageContext& context) override;
//   };
//   registry.Add<Sepia>();
//
// What it shares with others beside its items it declares too: the resources that it provides and
// needs (resources.h). A source may declare that it reads the data of `predict` and `evaluate`
// (data_reading.h), and any stage which of its parameters may be lowered where memory is short
// (lowerable()).
//
// Life: constructed (cheap: reads parameters, may list what there is to do, holds no memory to
// speak of); asked for its footprint; then, once the plan is accepted, Open() takes what is held
// for the whole run; then for each pass BeginPass(), the work, EndPass().
//
// Threads: Map() and Join() of a kParallel stage are called from many threads at once and must only
// touch its own state through const or its own locks. Everything else is called by one thread at a
// time, never while a Map() runs, except that Next() and AdmissionBytes() run beside it. No stage
// may block on another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "framework/flow/packet.h"
#include "framework/flow/pass.h"
#include "framework/flow/provenance.h"
#include "framework/flow/resources.h"
#include "framework/memory/memory_budget.h"
#include "framework/shape.h"

namespace weir {

// The expected loss of one sample: counted and listed, not an error.
struct Drop {
  std::string sample;  // what was lost: a path
  std::string reason;  // why, in a phrase: "is truncated after 120 of 400 rows"
};

template <class T>
using Outcome = std::variant<T, Drop>;

enum class Concurrency { kParallel, kSerial };

// The form of the items on an edge, as far as it is known before the run.
struct ItemSpec {
  Shape dims;                  // [H, W, 3], [N, H, W, 3], [N, C]; empty where it varies
  std::size_t item_bytes = 0;  // the most that one item holds; 0 where it varies
};

// Memory that a stage can use more or less of; the plan decides how many, and takes the low-memory
// mode where the job does not fit otherwise, or more of them work at once.
struct Lever {
  // The same result in less memory and more time.
  struct LowMemoryMode {
    std::string name;
    std::size_t bytes_each = 0;
    double pace = 1;    // images a second, as a share of the usual way's
    std::string why{};  // what is done for it
  };

  std::string name;            // "workers", "micro-batches in flight", "depth"
  std::size_t bytes_each = 0;  // what one takes
  int min = 0;                 // with fewer the stage cannot work
  int max = 0;                 // with more nothing gets faster
  std::string why{};           // why `max` is what it is: "one for each thread"
  std::optional<LowMemoryMode> low_memory{};

  const std::string& NameOf(bool is_low_memory) const {
    return is_low_memory && low_memory ? low_memory->name : name;
  }
  std::size_t BytesEach(bool is_low_memory) const {
    return is_low_memory && low_memory ? low_memory->bytes_each : bytes_each;
  }
};

// A parameter of which less takes less memory. Where a job does not fit in its ceiling, weir plans
// it with such parameters changed, and names the changes that make it fit.
struct Lowerable {
  // What the change alters of the result.
  enum class Alters {
    kLearning,  // how it is learnt: the size of a batch
    kSamples,   // what there is to be learnt: the size of the pictures
  };

  std::string parameter;            // "size"
  std::string now;                  // its value, as a configuration has it: "32"
  std::vector<std::string> values;  // to take instead of `now`, the mildest first: "16", "8"
  Alters alters = Alters::kLearning;
};

// Something that a stage holds from Open() to the end.
struct HeldPart {
  std::string what;  // "weights", "optimizer's state"
  MemoryTag tag = MemoryTag::kReserve;
  std::size_t bytes = 0;
};

// Held from Open() to the end where there is room for it beside all else: it only saves time.
struct ExtraPart {
  HeldPart part;
  std::string why{};  // why it is of use
};

// What a stage will hold, in bytes, once it is open.
struct Footprint {
  std::vector<HeldPart> held{};
  std::size_t item_bytes = 0;  // an item on its way: its output, and what it needs meanwhile
  std::size_t largest_item_bytes = 0;  // what a single item may need, where that is more
  std::optional<Lever> lever{};
  std::optional<ExtraPart> extra{};
  int max_items = 0;  // so many on their way at once are of use; 0: as many as to the others
  // Calls that wait at once, at most, for something else than this machine's processors: a GPU, or
  // other processes. So many of the stage's calls there are, and threads beside the workers, so
  // that the workers' part of the processors stays theirs. 0: no call does.
  int waiting_calls = 0;

  std::size_t held_bytes() const {
    std::size_t bytes = 0;
    for (const HeldPart& part : held) bytes += part.bytes;
    return bytes;
  }
};

// What a stage is built with.
struct BuildContext {
  ItemSpec upstream;        // the form of the items that arrive, at a join on its first branch
  Provenance provenance{};  // what the samples in them depend on
  Resources& resources;
  std::uint64_t seed = 0;
  int workers = 1;             // threads that may run stages
  bool training = true;        // whether there will be train passes
  ItemSpec second_upstream{};  // the form of the items on a join's second branch
  // Whether the run is to end: asked by a stage that waits for somebody else while it is built or
  // works, which then throws Error(kInterrupted). Any thread.
  std::function<bool()> is_interrupted = [] { return false; };
};

// What an opened stage has to itself.
struct OpenContext {
  MemoryBudget& budget;        // as large as what it holds, its lever's and its extra part together
  int lever = 0;               // how many the plan grants of the stage's lever
  bool is_low_memory = false;  // each of them in the lever's low-memory mode, where it has one
  bool has_extra = false;      // the plan grants the stage's extra part
};

// What a stage is told while it works. One object a call.
class StageContext {
 public:
  StageContext(const Pass& pass, std::uint64_t order, std::function<bool()> cancelled)
      : pass_(pass), order_(order), cancelled_(std::move(cancelled)) {}

  const Pass& pass() const { return pass_; }

  // The item's number in this pass: 0, 1, 2... for samples (from pass().first_sample where a pass
  // goes on), and counted anew for what a gather gives.
  std::uint64_t order() const { return order_; }

  // In a map: what is set aside for the item while it is there, what it comes in included.
  std::size_t granted_bytes() const { return granted_bytes_; }
  void set_granted_bytes(std::size_t bytes) { granted_bytes_ = bytes; }

  // Whether the run is being stopped: long work may return early, its result is thrown away.
  bool cancelled() const { return cancelled_(); }

 private:
  const Pass& pass_;
  std::uint64_t order_;
  std::size_t granted_bytes_ = std::numeric_limits<std::size_t>::max();
  std::function<bool()> cancelled_;
};

class Stage {
 public:
  virtual ~Stage() = default;

  virtual ItemSpec output() const { return {}; }
  virtual Footprint footprint() const { return {}; }
  virtual std::vector<Lowerable> lowerable() const { return {}; }
  virtual void Open(OpenContext&) {}
  virtual void BeginPass(const Pass&) {}
  // Makes do with fewer of its lever than were granted, at least its least, and gives back what
  // they held; results stay the same. Called by any thread, also while the stage works.
  virtual void LowerLever(int) {}
  virtual void EndPass(const Pass&) {}  // not called where the pass was cancelled or failed

  // What the outcome for a sample depends on beside what comes in: the parameters that matter,
  // libraries' versions, what is drawn by chance. The same text means the same bits. Empty where
  // that is not known: then nothing is kept of what stages behind it make.
  virtual std::optional<std::string> DependsOn(const Pass&, std::uint64_t /*sample_index*/) const {
    return std::nullopt;
  }
  // How many outcomes a sample has over the epochs, in turn; 0: another one in each epoch.
  virtual int variants(Split) const { return 1; }

  // How many stages take what it gives; known once the pipeline is planned.
  int consumers() const { return consumers_; }
  void set_consumers(int consumers) { consumers_ = consumers; }
  // Whether all of them take it where a device has it (SinkStage::kTakesFromDevice).
  bool may_stay_on_device() const { return may_stay_on_device_; }
  void set_may_stay_on_device(bool may_stay) { may_stay_on_device_ = may_stay; }

 private:
  int consumers_ = 1;
  bool may_stay_on_device_ = false;
};

template <class Out>
class SourceStage : public Stage {
 public:
  using Output = Out;

  // Whether Next() has something to give at once, or is at its end. A source whose items come from
  // elsewhere says no only while the next one is on its way. It then calls what set_on_ready() gave
  // it every now and then, and soon after the item is there; the workers do other work meanwhile.
  // Memory that others still hold is no reason to say no. Any thread may make that call. Once
  // set_on_ready() has returned, what it gave before is not being called any more.
  virtual bool IsReady() { return true; }
  // NOLINTNEXTLINE(performance-unnecessary-value-param): whoever overrides it keeps it
  virtual void set_on_ready(std::function<void()>) {}

  virtual std::optional<Out> Next(StageContext&) = 0;
};

// `Argument` is In where the stage takes the payload over, const In& where it only reads it.
template <class In, class Out, class Argument>
class BasicMapStage : public Stage {
 public:
  using Input = In;
  using Output = Out;
  static constexpr Concurrency kConcurrency = Concurrency::kParallel;

  // The most that this item will hold while it is in this stage, worked out from a cheap look at it
  // before it is admitted. Asked only of the stage next to the source. A Drop keeps it out.
  virtual Outcome<std::size_t> AdmissionBytes(const In&) { return footprint().item_bytes; }

  virtual Outcome<Out> Map(Argument, StageContext&) = 0;

  // A stage behind a gather that keeps what it made may give a pass the same again, so that nothing
  // before it has to run: it says so here (kMayReplay), is asked after BeginPass whether it can,
  // and then gives the pass' items in order, from pass.first_sample on. One thread.
  static constexpr bool kMayReplay = false;
  virtual bool CanReplay(const Pass&) { return false; }
  virtual std::optional<Out> Replay(StageContext&) { return std::nullopt; }
};

template <class In, class Out>
using MapStage = BasicMapStage<In, Out, In>;
template <class In, class Out>
using ReadingMapStage = BasicMapStage<In, Out, const In&>;

// Both branches are of one segment: no gather stands on them. Where an item was dropped on one of
// them, it ends here.
template <class First, class Second, class Out>
class JoinStage : public Stage {
 public:
  using Input = First;
  using SecondInput = Second;
  using Output = Out;
  static constexpr Concurrency kConcurrency = Concurrency::kParallel;
  virtual Outcome<Out> Join(const First&, const Second&, StageContext&) = 0;
};

template <class In, class Out>
class GatherStage : public Stage {
 public:
  using Input = In;
  using Output = Out;
  // What arrives is to be copied into the output, whose footprint pays for it.
  virtual std::optional<Out> Add(const In&, StageContext&) = 0;
  // Asked while an output is begun: every item before context.order() was added or dropped on its
  // way. Gives the output where that completes it, so that what it holds may depend on the items'
  // order alone, however many of them were dropped.
  virtual std::optional<Out> Complete(StageContext&) { return std::nullopt; }
  // At the end of a pass of context.order() items: what is left over.
  virtual std::optional<Out> Flush(StageContext&) = 0;
};

template <class In>
class SinkStage : public Stage {
 public:
  using Input = In;
  // Whether it takes its items where a device has them, as well as on the host.
  static constexpr bool kTakesFromDevice = false;
  virtual void Consume(const In&, StageContext&) = 0;
};

}  // namespace weir
