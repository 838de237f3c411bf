#include "stages/features/features.h"

#include <algorithm>
#include <span>
#include <sstream>
#include <vector>

#include "framework/error.h"
#include "framework/shape.h"
#include "stages/features/host_prefix.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/files/cache_folder.h"
#include "stages/files/sha256.h"
#include "stages/learner.h"
#include "stages/model/backbones/weights_digest.h"
#include "stages/model/backbones/weights_source.h"
#include "stages/model/declared_model.h"

namespace weir {

namespace {

// So many batches does a device work on at once, and who waits for one more does nothing else.
constexpr int kWaitingOnDevice = 2;
// Batches of features that are on the device at once: one that is learnt from, one that is ready,
// and one that is made.
constexpr int kStayingOnDevice = 3;

}  // namespace

void Features::Params::Check(const Blame& blame) const {
  if (cache_folder && cache != FeaturePlace::kFile) {
    blame("cache_folder", "`cache_folder` is of use with `cache: file` only");
  }
}

std::vector<ResourceUse> Features::Needs() { return {ResourceOf<ModelSource>(kDeclareTheModel)}; }

std::vector<ResourceUse> Features::Provides() {
  return {ResourceOf<FeatureKeeper>(), ResourceOf<Model>()};
}

Features::Features(const Params& params, BuildContext& context)
    : precision_(params.precision),
      batch_size_(context.upstream.dims.empty() ? 0 : context.upstream.dims[0]),
      source_(context.resources.Find<ModelSource>()) {
  model_ = DeclaredModel(kName, context);
  if (const auto chosen = context.resources.Find<ChosenDevice>()) device_ = chosen->device;
  CheckPrecision(context);
  context.resources.Put(model_);
  const auto epochs = context.resources.Find<Epochs>();  // without: each picture is seen once
  keeper_ = std::make_shared<FeatureKeeper>(
      FeatureKeeper::Options{
          .place = params.cache,
          .folder = params.cache_folder.value_or(CacheFolder() / "features"),
          .epochs = epochs ? epochs->count : Epochs{}.count,
          .dims = model_->prefix_layers() > 0 ? model_->feature_dims() : Shape(),
      },
      context);
  context.resources.Put(keeper_);
  footprint_ = WorkOutFootprint(context.workers);
}

void Features::CheckPrecision(const BuildContext& context) const {
  if (needs_maps()) CheckInt8(context);
  if (device_ && model_->prefix_layers() > 0) device_->CheckPrecision(precision_);
  if (device_ || precision_ != Precision::kTf32) return;
  const auto chosen = context.resources.Find<ChosenDevice>();
  throw Error(ErrorKind::kConfig,
              "precision: tf32 is a GPU's, and the model runs on the processor, as " +
                  (chosen ? chosen->reason : "no stage `prefetch` asks for another"),
              "Set precision: float32, or bfloat16.");
}

void Features::CheckInt8(const BuildContext& context) const {
  const auto refuse = [](const std::string& why, const std::string& remedy) {
    throw Error(ErrorKind::kConfig, "precision: int8 " + why, remedy);
  };
  if (device_) {
    refuse("is the processor's, and the model runs on a GPU",
           "Set precision: bfloat16, or prefetch.device: cpu.");
  }
  const auto ranks = context.training ? context.resources.Find<Ranks>() : nullptr;
  if (ranks && ranks->share.ranks > 1) {
    refuse("measures the maps on all pictures, which ranks share out",
           "Set precision: bfloat16, or train with one process.");
  }
  if (model_->prefix_layers() < model_->network().size()) {
    refuse("needs a backbone that is frozen throughout",
           "Set model.frozen: all, or precision: float32.");
  }
}

PrefixOptions Features::prefix_options() const {
  return {.last_layer = model_->prefix_layers() - 1,
          .pooling = model_->prefix_pooling(),
          .precision = precision_,
          .preprocessing = model_->preprocessing(),
          .maps = source_->maps};
}

ItemSpec Features::output() const {
  const Shape dims = BatchShape(batch_size_, model_->feature_dims());
  return {.dims = dims, .item_bytes = sizeof(float) * static_cast<std::size_t>(ValuesIn(dims))};
}

Footprint Features::WorkOutFootprint(int workers) const {
  Footprint footprint{.item_bytes = output().item_bytes};
  if (device_) footprint.waiting_calls = kWaitingOnDevice;
  if (model_->prefix_layers() == 0) return footprint;
  const std::size_t reading_bytes = LayerReadingBytes(model_->network()) + source_->opening_bytes;
  if (device_) {
    footprint.held = {{"a layer while it is read", MemoryTag::kModel, reading_bytes}};
  } else {
    const PrefixFootprint prefix = OneDnnPrefixFootprint(model_->network(), prefix_options());
    // A layer is read only before there are workspaces, of which the first pays for it.
    footprint.held = {{"frozen weights", MemoryTag::kModel, prefix.weights_bytes},
                      {"a layer while it is read", MemoryTag::kModel,
                       reading_bytes - std::min(reading_bytes, prefix.workspace_bytes)}};
    footprint.lever = Lever{.name = "workers",
                            .bytes_each = prefix.workspace_bytes,
                            .min = 1,
                            .max = std::max(1, workers),
                            .why = "one for each thread"};
  }
  keeper_->AddTo(footprint);
  return footprint;
}

void Features::Open(OpenContext& context) {
  Sha256 weights;
  if (needs_maps()) {
    if (!source_->maps) {
      throw Error(ErrorKind::kConfig,
                  "precision: int8 needs to know the maps of the backbone, which were not measured "
                  "when this model was trained",
                  "Set precision: float32, or train it with precision: int8.");
    }
    for (const MapStatistics& map : *source_->maps) {
      weights.Add(std::as_bytes(std::span(&map.scale, 1)));
      weights.Add(std::as_bytes(std::span(map.means)));
    }
  }
  const auto open_backbone = [&](const Model& model) {
    LayerReader reader = source_->open_backbone(model);
    return keeper_->in_file() ? Hashed(std::move(reader), weights) : reader;
  };
  if (device_) {
    runner_ = device_->MakePrefix(*model_, open_backbone, precision_, static_cast<int>(batch_size_),
                                  may_stay_on_device() ? kStayingOnDevice : 0);
  } else if (model_->prefix_layers() == 0) {
    runner_ = MakeHostPreprocessing(*model_);
  } else {
    auto prefix = MakeOneDnnPrefix(model_->network(), open_backbone(*model_), prefix_options());
    runner_ = MakeHostPrefix(std::move(prefix), model_->feature_dims(), context.lever);
  }
  keeper_->Open(context.has_extra, [&] { return Describe() + "\nweights " + weights.Finish(); });
}

// What features depend on beside pictures and weights.
std::string Features::Describe() const {
  const PrefixOptions options = prefix_options();
  const Backbone& backbone = model_->backbone();
  const MapSize input = backbone.network().input();
  std::ostringstream text;
  text << std::hexfloat << "program " << Sha256Of("/proc/self/exe") << "\n"
       << (device_ ? device_->name() + ", " + kDeviceBuild : OneDnnVersion()) << "\n"
       << backbone.kind().name << " width " << backbone.width() << ", " << input.height << "x"
       << input.width << ", padding " << static_cast<int>(source_->convention.padding)
       << ", epsilon " << source_->convention.batch_norm_epsilon << "\n"
       << "layers 0 to " << options.last_layer << ", pooling " << static_cast<int>(options.pooling)
       << ", precision " << static_cast<int>(options.precision) << "\npreprocessing";
  for (const float scale : options.preprocessing.scale) text << " " << scale;
  for (const float offset : options.preprocessing.offset) text << " " << offset;
  return text.str();
}

Outcome<FeatureBatch> Features::Map(Batch batch, StageContext&) {
  if (std::optional<FeatureBatch> found = keeper_->Find(batch)) return *std::move(found);
  const bool may_stay = may_stay_on_device() && !keeper_->keeps_pass();
  FeatureBatch features =
      may_stay ? runner_->RunAndLeave(std::move(batch)) : runner_->Run(std::move(batch));
  keeper_->Keep(features);
  return features;
}

}  // namespace weir
