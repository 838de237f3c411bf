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

  // Makes it the source of `pipeline`; its name and its footprint are those of the source of
  // `listing`.
  static void AddTo(Pipeline& pipeline, const Pipeline& listing) {
    const std::string name = listing.stages().front().name;
    const Footprint footprint = listing.Find(name)->footprint();
    pipeline.AddMade(name, [&](BuildContext&) { return std::make_unique<Listed>(footprint); });
  }

  explicit Listed(const Footprint& footprint) : footprint_(footprint) {}
  Footprint footprint() const override { return footprint_; }
  std::optional<ImageFile> Next(StageContext&) override { return std::nullopt; }

 private:
  const Footprint footprint_;
};

}  // namespace weir
