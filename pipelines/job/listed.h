// In the place of a source that has listed its samples in another session, so that they are not
// listed once more: it gives what that source gives, declares what it declares, and holds as much
// in the plan and in the ledger. The source may be of any stage, a plugin's too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/flow/any_stage.h"
#include "framework/graph/pipeline.h"

namespace weir {

class Listed final : public AnyStage {
 public:
  // Makes it the source of `pipeline`. Only one of the two runs at a time; `listing` outlives it,
  // and the source of that is open when this is run.
  static void AddTo(Pipeline& pipeline, const Pipeline& listing) {
    const PlacedStage& source = listing.stages().front();
    StageSpec spec;
    spec.name = source.name;
    spec.ports = source;
    spec.plugin = source.plugin;
    spec.make = [&source](const YamlNode&, BuildContext&) {
      PlacedStage placed{static_cast<const Ports&>(source)};
      placed.out_type = source.out_type;
      placed.plugin = source.plugin;
      placed.any = std::make_unique<Listed>(*source.any);
      return placed;
    };
    pipeline.Add(spec, YamlNode());
  }

  explicit Listed(AnyStage& source) : source_(source), stage_(source.stage()) {}

  Stage& stage() override { return stage_; }
  std::optional<Packet> Next(StageContext& context) override { return source_.Next(context); }
  bool IsReady() override { return source_.IsReady(); }
  void set_on_ready(std::function<void()> on_ready) override {
    source_.set_on_ready(std::move(on_ready));
  }
  std::string NameOf(Packet& item) override { return source_.NameOf(item); }

 private:
  class SourceOfAnother final : public Stage {
   public:
    explicit SourceOfAnother(Stage& source) : source_(source) {}

    ItemSpec output() const override { return source_.output(); }
    Footprint footprint() const override { return source_.footprint(); }
    std::vector<Lowerable> lowerable() const override { return source_.lowerable(); }
    // Throws Error(kMemory) where what the source holds does not fit.
    void Open(OpenContext& context) override {
      lease_ = context.budget.TryAcquire(MemoryTag::kReserve, footprint().held_bytes());
      if (lease_) {
        if (footprint().lever) source_.LowerLever(context.lever);  // as this plan grants it
        return;
      }
      throw Error(ErrorKind::kMemory, "the list of the pictures does not fit in the ceiling",
                  "Raise memory.host.");
    }
    void BeginPass(const Pass& pass) override { source_.BeginPass(pass); }
    void LowerLever(int lever) override { source_.LowerLever(lever); }
    void EndPass(const Pass& pass) override { source_.EndPass(pass); }
    std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t sample) const override {
      return source_.DependsOn(pass, sample);
    }
    int variants(Split split) const override { return source_.variants(split); }

   private:
    Stage& source_;
    std::optional<Lease> lease_;
  };

  AnyStage& source_;
  SourceOfAnother stage_;
};

}  // namespace weir
