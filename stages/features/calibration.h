// The end of a pipeline that measures the maps of the backbone on its first pictures, in float32:
// what `precision: int8` needs before the pipeline that trains is opened.
//
// Made by the command, in place of `features` and what follows it. Memory: the backbone in float32,
// one workspace, and the sums.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/payloads.h"

namespace weir {

class Calibration final : public SinkStage<Batch> {
 public:
  static constexpr std::string_view kName = "calibration";
  static constexpr int kPictures = 64;

  // `on_enough` is called once as many were seen, by a thread of the pipeline. Throws
  // Error(kConfig) as `features` does.
  Calibration(BuildContext& context, std::function<void()> on_enough);

  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void Consume(const Batch& batch, StageContext& context) override;

  // No more than kPictures; those that came first. With one at least, Finish() may be called.
  int seen() const { return seen_; }
  std::vector<MapStatistics> Finish() const { return meter_.Finish(); }

 private:
  const std::shared_ptr<const ModelSource> source_;
  const std::shared_ptr<const Model> model_;
  const std::function<void()> on_enough_;
  MapMeter meter_;
  std::unique_ptr<const FrozenPrefix> prefix_;
  std::unique_ptr<FrozenPrefix::Workspace> workspace_;
  int seen_ = 0;
};

}  // namespace weir
