// In the place of a source that has listed its files: for planning the same job once more, without
// listing them again. Gives nothing.
#pragma once

#include <memory>
#include <optional>

#include "framework/graph/pipeline.h"
#include "stages/payloads.h"

namespace weir {

class Listed final : public SourceStage<ImageFile> {
 public:
  static constexpr std::string_view kName = "listed";

  // Makes it the source of `pipeline`; its name, its footprint and what its samples depend on are
  // those of the source of `listing`, which outlives it.
  static void AddTo(Pipeline& pipeline, const Pipeline& listing) {
    const std::string name = listing.stages().front().name;
    const Stage& source = *listing.Find(name);
    pipeline.AddMade(name, [&](BuildContext&) { return std::make_unique<Listed>(source); });
  }

  explicit Listed(const Stage& source) : source_(source) {}
  Footprint footprint() const override { return source_.footprint(); }
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t sample) const override {
    return source_.DependsOn(pass, sample);
  }
  std::optional<ImageFile> Next(StageContext&) override { return std::nullopt; }

 private:
  const Stage& source_;
};

}  // namespace weir
