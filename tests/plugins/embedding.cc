// A pipeline in a program of one's own: its source, a map on two threads, its sink.
#include <cstdio>
#include <memory>

#include "framework/graph/pipeline.h"

struct Number {
  static constexpr weir::PortType kPortType = "example/number";
  long value = 0;
};

struct Count final : weir::SourceStage<Number> {
  std::optional<Number> Next(weir::StageContext&) override {
    return last < 100 ? std::optional(Number{++last}) : std::nullopt;
  }
  void BeginPass(const weir::Pass&) override { last = 0; }
  long last = 0;
};

struct Square final : weir::MapStage<Number, Number> {
  weir::Outcome<Number> Map(Number number, weir::StageContext&) override {
    return Number{number.value * number.value};
  }
};

struct Sum final : weir::SinkStage<Number> {
  explicit Sum(long& sum) : sum(sum) {}
  void Consume(const Number& number, weir::StageContext&) override { sum += number.value; }
  long& sum;
};

int main() {
  long sum = 0;
  weir::MemoryBudget budget(64 << 20);
  weir::Resources resources;
  weir::Pipeline pipeline({.workers = 2}, resources);
  pipeline.AddMade("count", [](weir::BuildContext&) { return std::make_unique<Count>(); });
  pipeline.AddMade("square", [](weir::BuildContext&) { return std::make_unique<Square>(); });
  pipeline.AddMade("sum", [&](weir::BuildContext&) { return std::make_unique<Sum>(sum); });
  pipeline.Plan(64 << 20, 8 << 20);
  pipeline.Open(budget);
  pipeline.Run({});
  std::printf("the sum of the squares of 1 to 100: %ld\n", sum);
}
