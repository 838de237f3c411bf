// The stage `features`: batches of pictures in, what the frozen part of the model makes of them
// out.
//
// It is the stage that makes the Model: it takes the Classes and the ModelSource from the resources
// and puts the Model there for `train`. Map() runs on many threads. Holds the packed weights of the
// frozen part, and while it opens those of the whole backbone.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "framework/params.h"
#include "framework/stage.h"
#include "stages/device.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/prefix_runner.h"

namespace weir {

template <>
struct EnumNames<Precision> {
  static constexpr std::array kNames{std::pair{"float32", Precision::kFloat32},
                                     std::pair{"bfloat16", Precision::kBfloat16}};
};

class Features final : public MapStage<Batch, FeatureBatch> {
 public:
  static constexpr std::string_view kName = "features";
  static constexpr std::string_view kDoc = "Runs the frozen part of the model.";

  struct Params {
    Precision precision = Precision::kFloat32;

    static auto Fields() {
      return std::tuple{Field{"precision", &Params::precision,
                              "Of the frozen part; bfloat16 is about twice as fast where the "
                              "processor has it, and a little less exact."}};
    }
  };

  // Throws Error(kConfig) where the batches before it have no fixed size, or the model declared
  // makes no sense.
  Features(const Params& params, BuildContext& context);

  ItemSpec output() const override;
  Footprint footprint() const override { return footprint_; }
  void Open(OpenContext& context) override;
  void LowerLever(int workers) override { runner_->LowerWorkers(workers); }
  Outcome<FeatureBatch> Map(Batch batch, StageContext& context) override;

 private:
  PrefixOptions prefix_options() const;
  Footprint WorkOutFootprint(int workers) const;

  const Precision precision_;
  const std::int64_t batch_size_;
  std::shared_ptr<const ModelSource> source_;
  std::shared_ptr<Device> device_;  // null: the host
  std::shared_ptr<Model> model_;
  Footprint footprint_;
  std::unique_ptr<PrefixRunner> runner_;
};

}  // namespace weir
