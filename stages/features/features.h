// The stage `features`: batches of pictures in, what the frozen part of the model makes of them
// out.
//
// What is frozen makes the same of the same picture, so features are kept from one epoch to the
// next (feature_cache.h) where augmentation gives the same pictures again: in validation always, in
// training without chance or with its `variants`. A pass of which all is kept skips every stage
// before this one.
//
// It is the stage that makes the Model: it takes the Classes and the ModelSource from the resources
// and puts the Model there for `train`. Map() runs on many threads. Holds the packed weights of the
// frozen part, and while it opens those of the whole backbone.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/device/device.h"
#include "stages/device/prefix_runner.h"
#include "stages/features/feature_keeper.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/payloads.h"

namespace weir {

template <>
struct EnumNames<FeaturePlace> {
  static constexpr std::array kNames{std::pair{"off", FeaturePlace::kNowhere},
                                     std::pair{"memory", FeaturePlace::kMemory},
                                     std::pair{"file", FeaturePlace::kFile}};
};

class Features final : public MapStage<Batch, FeatureBatch> {
 public:
  static constexpr std::string_view kName = "features";
  static constexpr std::string_view kDoc = "Runs the frozen part of the model.";

  struct Params {
    Precision precision = Precision::kFloat32;
    Auto<FeaturePlace> cache{};
    std::optional<std::filesystem::path> cache_folder{};

    static auto Fields() {
      return std::tuple{
          Field{"precision", &Params::precision,
                "Of the frozen part. Where the processor has them, bfloat16 is about twice as fast "
                "and a little less exact, int8 three times as fast and less exact; int8 is "
                "measured on the first 64 pictures and needs a backbone that is frozen throughout. "
                "tf32 is a GPU's alone: float32 whose matrix products round to 10 bits what they "
                "multiply, as Keras and PyTorch do in convolutions unless they are told not to; "
                "tf32 and bfloat16 are made for compute capability 8.0 or newer there."},
          Field{"cache", &Params::cache,
                "Where the features of a sample are kept for later epochs: auto is memory where "
                "the ceiling has room for them. In a file they are there for later runs too, as "
                "long as pictures, augmentation and frozen weights stay as they are."},
          Field{"cache_folder", &Params::cache_folder,
                "Of the files; by default features/ in $WEIR_CACHE or ~/.cache/weir."}};
    }
    void Check(const Blame& blame) const;
  };

  // Throws Error(kConfig) where the batches before it have no fixed size, or the model declared
  // makes no sense.
  Features(const Params& params, BuildContext& context);

  static std::vector<ResourceUse> Needs();
  static std::vector<ResourceUse> Provides();

  ItemSpec output() const override;
  Footprint footprint() const override { return footprint_; }
  void Open(OpenContext& context) override;
  void LowerLever(int workers) override { runner_->LowerWorkers(workers); }
  void BeginPass(const Pass& pass) override { keeper_->BeginPass(pass); }
  void EndPass(const Pass&) override { keeper_->EndPass(); }
  Outcome<FeatureBatch> Map(Batch batch, StageContext& context) override;

  static constexpr bool kMayReplay = true;
  bool CanReplay(const Pass&) override { return keeper_->has_pass(); }
  std::optional<FeatureBatch> Replay(StageContext&) override { return keeper_->NextBatch(); }

  // Whether ModelSource::maps has to be there when it is opened.
  bool needs_maps() const { return precision_ == Precision::kInt8; }

 private:
  void CheckPrecision(const BuildContext& context) const;
  void CheckInt8(const BuildContext& context) const;
  PrefixOptions prefix_options() const;
  Footprint WorkOutFootprint(int workers) const;
  std::string Describe() const;

  const Precision precision_;
  const std::int64_t batch_size_;
  std::shared_ptr<const ModelSource> source_;
  std::shared_ptr<Device> device_;  // null: the host
  std::shared_ptr<Model> model_;
  Footprint footprint_;
  std::shared_ptr<PrefixRunner> runner_;
  std::shared_ptr<FeatureKeeper> keeper_;
};

}  // namespace weir
