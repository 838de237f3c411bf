// In the place of a source that has listed its files in another session, so that they are not
// listed once more: it gives what that source gives, and holds as much in the plan and in the
// ledger.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "framework/error.h"
#include "framework/graph/pipeline.h"
#include "stages/payloads.h"

namespace weir {

class Listed final : public SourceStage<ImageFile> {
 public:
  static constexpr std::string_view kName = "listed";

  // Whether it can stand for the source of `listing`: where that gives pictures in files.
  static bool CanStandFor(const Pipeline& listing) { return SourceOf(listing) != nullptr; }

  // Makes it the source of `pipeline`. Only one of the two runs at a time; `listing` outlives it.
  static void AddTo(Pipeline& pipeline, const Pipeline& listing) {
    pipeline.AddMade(listing.stages().front().name,
                     [&](BuildContext&) { return std::make_unique<Listed>(*SourceOf(listing)); });
  }

  explicit Listed(SourceStage<ImageFile>& source) : source_(source) {}
  Footprint footprint() const override { return source_.footprint(); }
  // Throws Error(kMemory) where the list does not fit.
  void Open(OpenContext& context) override {
    lease_ = context.budget.TryAcquire(MemoryTag::kReserve, footprint().held_bytes());
    if (lease_) return;
    throw Error(ErrorKind::kMemory, "the list of the pictures does not fit in the ceiling",
                "Raise memory.host.");
  }
  void BeginPass(const Pass& pass) override { source_.BeginPass(pass); }
  void EndPass(const Pass& pass) override { source_.EndPass(pass); }
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t sample) const override {
    return source_.DependsOn(pass, sample);
  }
  std::optional<ImageFile> Next(StageContext& context) override { return source_.Next(context); }

 private:
  static SourceStage<ImageFile>* SourceOf(const Pipeline& listing) {
    return dynamic_cast<SourceStage<ImageFile>*>(&listing.stages().front().any->stage());
  }

  SourceStage<ImageFile>& source_;
  std::optional<Lease> lease_;
};

}  // namespace weir
