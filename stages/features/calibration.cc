#include "stages/features/calibration.h"

#include <algorithm>
#include <utility>

#include "stages/features/onednn/onednn_prefix.h"
#include "stages/model/declared_model.h"

namespace weir {
namespace {

PrefixOptions OptionsOf(const Model& model, MapWatcher watch) {
  return {.last_layer = model.network().size() - 1,
          .pooling = Pooling::kAverage,
          .preprocessing = model.preprocessing(),
          .watch = std::move(watch)};
}

}  // namespace

Calibration::Calibration(BuildContext& context, std::function<void()> on_enough)
    : source_(context.resources.Find<ModelSource>()),
      model_(DeclaredModel(kName, context)),
      on_enough_(std::move(on_enough)),
      meter_(model_->network()) {}

Footprint Calibration::footprint() const {
  const Network& backbone = model_->network();
  const PrefixFootprint prefix =
      OneDnnPrefixFootprint(backbone, OptionsOf(*model_, [](int, const float*) {}));
  const std::size_t reading_bytes = LayerReadingBytes(backbone) + source_->opening_bytes;
  return {.held = {{"the backbone in float32", MemoryTag::kModel, prefix.weights_bytes},
                   {"a layer while it is read", MemoryTag::kModel,
                    reading_bytes - std::min(reading_bytes, prefix.workspace_bytes)},
                   {"a workspace", MemoryTag::kActivation, prefix.workspace_bytes},
                   {"sums", MemoryTag::kReserve, MapMeter::bytes(backbone)}}};
}

void Calibration::Open(OpenContext&) {
  prefix_ = MakeOneDnnPrefix(model_->network(), source_->open_backbone(*model_),
                             OptionsOf(*model_, meter_.Watcher()));
  workspace_ = prefix_->MakeWorkspace();
}

void Calibration::Consume(const Batch& batch, StageContext&) {
  const std::size_t picture_bytes = std::size_t{3} * batch.height * batch.width;
  std::vector<float> features(prefix_->output_values());
  for (int i = 0; i < batch.size() && seen_ < kPictures; ++i, ++seen_) {
    prefix_->Run(batch.pixels.data() + i * picture_bytes, *workspace_, features.data());
  }
  if (seen_ == kPictures) on_enough_();
}

}  // namespace weir
