#include "stages/features.h"

#include <algorithm>

#include "framework/error.h"
#include "stages/host_prefix.h"

namespace weir {
namespace {

MapSize PictureSize(const ItemSpec& batches) {
  if (batches.dims.size() != 4 || batches.dims.back() != 3) {
    throw Error(ErrorKind::kConfig, "`features` needs batches of pictures of one size",
                "Put `augment: {size: [224, 224]}` and `batch` before it.");
  }
  return {static_cast<int>(batches.dims[1]), static_cast<int>(batches.dims[2])};
}

}  // namespace

Features::Features(const Params& params, BuildContext& context)
    : precision_(params.precision),
      batch_size_(context.upstream.dims.empty() ? 0 : context.upstream.dims[0]),
      source_(context.resources.Require<ModelSource>(kName,
                                                     "Declare the model in the section `model`.")) {
  const MapSize input = PictureSize(context.upstream);
  const auto classes = context.resources.Require<Classes>(
      kName, "Begin the pipeline with a source of labelled pictures: `directory`.");
  if (const auto chosen = context.resources.Find<ChosenDevice>()) device_ = chosen->device;
  model_ = std::make_shared<Model>(source_->config, source_->convention, input, classes->names,
                                   context.seed);
  context.resources.Put(model_);
  footprint_ = WorkOutFootprint(context.workers);
}

PrefixOptions Features::prefix_options() const {
  return {.last_layer = model_->prefix_layers() - 1,
          .pooling = model_->prefix_pooling(),
          .precision = precision_,
          .preprocessing = model_->preprocessing()};
}

ItemSpec Features::output() const {
  ItemSpec spec{.dims = {batch_size_}, .item_bytes = sizeof(float)};
  for (std::int64_t size : model_->feature_dims()) spec.dims.push_back(size);
  for (std::int64_t size : spec.dims) spec.item_bytes *= static_cast<std::size_t>(size);
  return spec;
}

Footprint Features::WorkOutFootprint(int workers) const {
  Footprint footprint{.item_bytes = output().item_bytes};
  if (model_->prefix_layers() == 0) return footprint;
  const std::size_t reading_bytes = LayerReadingBytes(model_->backbone());
  if (device_) {
    footprint.held = {{"a layer while it is read", MemoryTag::kModel, reading_bytes}};
    return footprint;
  }
  const PrefixFootprint prefix = OneDnnPrefixFootprint(model_->backbone(), prefix_options());
  // A layer is read only before there are workspaces, of which the first pays for it.
  footprint.held = {{"frozen weights", MemoryTag::kModel, prefix.weights_bytes},
                    {"a layer while it is read", MemoryTag::kModel,
                     reading_bytes - std::min(reading_bytes, prefix.workspace_bytes)}};
  footprint.lever = Lever{.name = "workers",
                          .bytes_each = prefix.workspace_bytes,
                          .min = 1,
                          .max = std::max(1, workers),
                          .why = "one for each thread"};
  return footprint;
}

void Features::Open(OpenContext& context) {
  if (device_) {
    runner_ = device_->MakePrefix(*model_, source_->open_backbone, precision_,
                                  static_cast<int>(batch_size_));
  } else if (model_->prefix_layers() == 0) {
    runner_ = MakeHostPreprocessing(*model_);
  } else {
    auto prefix =
        MakeOneDnnPrefix(model_->backbone(), source_->open_backbone(*model_), prefix_options());
    runner_ = MakeHostPrefix(std::move(prefix), model_->feature_dims(), context.lever);
  }
}

Outcome<FeatureBatch> Features::Map(Batch batch, StageContext&) {
  return runner_->Run(std::move(batch));
}

}  // namespace weir
