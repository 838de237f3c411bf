#include "pipelines/job/calibrate.h"

#include <string>
#include <utility>

#include "framework/error.h"
#include "pipelines/job/signals.h"
#include "stages/features/features.h"

namespace weir {

bool CalibrationSession::IsNeeded(const Session& session) {
  const auto* features = dynamic_cast<const Features*>(session.pipeline().Find(Features::kName));
  return features && features->needs_maps();
}

CalibrationSession::CalibrationSession(const Recipe& recipe, std::shared_ptr<ModelSource> model,
                                       const Session& listed, const MemoryAllowance& allowance)
    : session_(recipe, {.model = std::move(model),
                        .listed = &listed,
                        .allowance = allowance,
                        .sink_in_place_of = Features::kName,
                        .add_sink = [this](Pipeline& pipeline, const auto& from) {
                          pipeline.AddMade(
                              std::string(Calibration::kName),
                              [this, &pipeline](BuildContext& context) {
                                auto made = std::make_unique<Calibration>(
                                    context, [&pipeline] { pipeline.Stop(); });
                                calibration_ = made.get();
                                return made;
                              },
                              from);
                        }}) {}

std::shared_ptr<const std::vector<MapStatistics>> CalibrationSession::Run() {
  session_.Open();
  session_.RunUnshown({.split = Split::kTrain});
  if (SignalReceived()) {
    throw Error(ErrorKind::kInterrupted, "interrupted while the maps for int8 were measured",
                "Begin anew, or where there is a checkpoint go on with --resume.");
  }
  if (calibration_->seen() == 0) {
    throw Error(ErrorKind::kData, "not one picture of the train split could be used",
                "`weir check` says why.");
  }
  return std::make_shared<const std::vector<MapStatistics>>(calibration_->Finish());
}

}  // namespace weir
