// Small stages for tests of the flow: numbers instead of pictures.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/any_stage.h"

namespace weir::testing {

struct NoParams {
  static auto Fields() { return std::tuple{}; }
};

// A number that claims to hold memory.
struct Number {
  static constexpr PortType kPortType = "test/number";
  int value = 0;
  std::size_t held_bytes = 0;
  std::string name() const { return "number " + std::to_string(value); }
  std::size_t bytes() const { return held_bytes; }
};

struct Numbers {
  static constexpr PortType kPortType = "test/numbers";
  std::vector<int> values;
};

// 0, 1, 2, ... from the pass' first sample to `count`.
class Counting final : public SourceStage<Number> {
 public:
  static constexpr std::string_view kName = "counting";
  static constexpr std::string_view kDoc = "Counts.";
  explicit Counting(int count) : count_(count) {}
  void BeginPass(const Pass& pass) override { next_ = static_cast<int>(pass.first_sample); }
  std::optional<Number> Next(StageContext&) override {
    if (next_ == count_) return std::nullopt;
    return Number{next_++, 0};
  }

 private:
  int count_;
  int next_ = 0;
};

// Whatever a test wants done to each number.
class Apply final : public MapStage<Number, Number> {
 public:
  static constexpr std::string_view kName = "apply";
  static constexpr std::string_view kDoc = "Applies a function.";
  using Function = std::function<Outcome<Number>(Number, StageContext&)>;
  using Cost = std::function<Outcome<std::size_t>(const Number&)>;
  explicit Apply(Function function, std::size_t item_bytes = 0, Cost cost = {})
      : function_(std::move(function)), item_bytes_(item_bytes), cost_(std::move(cost)) {}
  Footprint footprint() const override { return {.item_bytes = item_bytes_, .lever = {}}; }
  Outcome<std::size_t> AdmissionBytes(const Number& number) override {
    if (cost_) return cost_(number);
    return item_bytes_;
  }
  Outcome<Number> Map(Number number, StageContext& context) override {
    return function_(std::move(number), context);
  }

 private:
  Function function_;
  std::size_t item_bytes_;
  Cost cost_;
};

class Gather final : public GatherStage<Number, Numbers> {
 public:
  static constexpr std::string_view kName = "gather";
  static constexpr std::string_view kDoc = "Gathers.";
  explicit Gather(int size, std::size_t item_bytes = 0) : size_(size), item_bytes_(item_bytes) {}
  Footprint footprint() const override { return {.item_bytes = item_bytes_, .lever = {}}; }
  void BeginPass(const Pass&) override { filling_ = {}; }
  std::optional<Numbers> Add(const Number& number, StageContext&) override {
    filling_.values.push_back(number.value);
    if (static_cast<int>(filling_.values.size()) < size_) return std::nullopt;
    return std::exchange(filling_, {});
  }
  std::optional<Numbers> Flush(StageContext&) override {
    if (filling_.values.empty()) return std::nullopt;
    return std::exchange(filling_, {});
  }

 private:
  int size_;
  std::size_t item_bytes_;
  Numbers filling_;
};

// Gathers what has the orders 0 to size - 1, then the next `size`, and so on.
class GatherWindows final : public GatherStage<Number, Numbers> {
 public:
  static constexpr std::string_view kName = "gather_windows";
  static constexpr std::string_view kDoc = "Gathers by order.";
  GatherWindows(std::uint64_t size, std::size_t item_bytes)
      : size_(size), item_bytes_(item_bytes) {}
  Footprint footprint() const override { return {.item_bytes = item_bytes_}; }
  void BeginPass(const Pass&) override { filling_ = {}; }
  std::optional<Numbers> Add(const Number& number, StageContext& context) override {
    filling_.values.push_back(number.value);
    end_ = (context.order() / size_ + 1) * size_;
    return std::nullopt;
  }
  std::optional<Numbers> Complete(StageContext& context) override {
    if (context.order() < end_) return std::nullopt;
    return std::exchange(filling_, {});
  }
  std::optional<Numbers> Flush(StageContext& context) override {
    filling_.values.push_back(-static_cast<int>(context.order()));
    return std::exchange(filling_, {});
  }

 private:
  std::uint64_t size_;
  std::size_t item_bytes_;
  std::uint64_t end_ = 0;
  Numbers filling_;
};

// Keeps what it is given in each even epoch, and gives it again in the later ones.
class Recall final : public MapStage<Numbers, Numbers> {
 public:
  static constexpr std::string_view kName = "recall";
  static constexpr std::string_view kDoc = "Keeps and gives again.";
  static constexpr Concurrency kConcurrency = Concurrency::kSerial;
  static constexpr bool kMayReplay = true;
  explicit Recall(std::size_t item_bytes = 0, bool keeps = true)
      : item_bytes_(item_bytes), keeps_(keeps) {}
  Footprint footprint() const override { return {.item_bytes = item_bytes_}; }
  void BeginPass(const Pass& pass) override {
    is_even_ = pass.epoch % 2 == 0;
    next_ = 0;
  }
  Outcome<Numbers> Map(Numbers numbers, StageContext& context) override {
    if (is_even_) kept_.emplace(context.order(), numbers.values);
    return numbers;
  }
  void EndPass(const Pass&) override { is_complete_ |= is_even_; }
  bool CanReplay(const Pass&) override { return keeps_ && is_even_ && is_complete_; }
  std::optional<Numbers> Replay(StageContext&) override {
    const auto kept = kept_.find(next_++);
    if (kept == kept_.end()) return std::nullopt;
    return Numbers{kept->second};
  }

 private:
  std::size_t item_bytes_;
  bool keeps_;
  std::map<std::uint64_t, std::vector<int>> kept_;  // by their order
  bool is_even_ = false;
  bool is_complete_ = false;
  std::uint64_t next_ = 0;
};

// Adds two numbers that are of one item.
class AddUp final : public JoinStage<Number, Number, Number> {
 public:
  static constexpr std::string_view kName = "add_up";
  static constexpr std::string_view kDoc = "Adds.";
  explicit AddUp(std::size_t item_bytes = 0) : item_bytes_(item_bytes) {}
  Footprint footprint() const override { return {.item_bytes = item_bytes_}; }
  Outcome<Number> Join(const Number& first, const Number& second, StageContext&) override {
    return Number{first.value + second.value, std::max(first.held_bytes, second.held_bytes)};
  }

 private:
  std::size_t item_bytes_;
};

// Only looks at what it is given, and keeps the values in their order.
class Note final : public SinkStage<Number> {
 public:
  static constexpr std::string_view kName = "note";
  static constexpr std::string_view kDoc = "Notes.";
  explicit Note(std::vector<int>& out) : out_(out) {}
  void Consume(const Number& number, StageContext&) override { out_.push_back(number.value); }

 private:
  std::vector<int>& out_;
};

class Collect final : public SinkStage<Numbers> {
 public:
  static constexpr std::string_view kName = "collect";
  static constexpr std::string_view kDoc = "Collects.";
  explicit Collect(
      std::vector<std::vector<int>>& out, std::function<void()> meanwhile = [] {})
      : out_(out), meanwhile_(std::move(meanwhile)) {}
  void Consume(const Numbers& numbers, StageContext&) override {
    out_.push_back(numbers.values);
    meanwhile_();
  }

 private:
  std::vector<std::vector<int>>& out_;
  std::function<void()> meanwhile_;
};

}  // namespace weir::testing
