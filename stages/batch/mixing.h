// The stages `mixup` and `cutmix`: each sample of a batch is mixed with the one before it, the
// first with the last, as torchvision's MixUp and CutMix do it, and so are their labels. In train
// passes alone, between `batch` and what brings batches to a device.
//
//   - batch: {size: 32}
//   - mixup: {alpha: 0.2}
//
// Loss is taken of the mixture, accuracy of the label that has the most of it. Of both in a row,
// each batch goes through both, as `probability` says.
//
// In place: nothing is held. Map() runs on many threads; what is drawn for a batch is a pure
// function of the seed, the epoch and its first sample.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "framework/random.h"
#include "stages/augment/crops.h"
#include "stages/payloads.h"

namespace weir {

// Pixels become part of themselves and 1 - part of the sample's before; part is of [0, 1] and taken
// in 65536ths.
void MixPixels(Batch& batch, double part);
// The box becomes that of the sample's before.
void PastePixels(Batch& batch, const Box& box);
// How much of a picture is not in the box.
double PartBeside(const Box& box, int height, int width);
// Labels become part of themselves and 1 - part of the sample's before, which may be mixtures too.
void MixLabels(Batch& batch, double part);

// Draws from the beta distribution with both parameters `alpha`, as the ratio of two gamma variates
// (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
double DrawBeta(CounterRandom& random, double alpha);

// What both stages have in common.
class MixingStage : public MapStage<Batch, Batch> {
 public:
  struct Params {
    double alpha = 1;
    double probability = 1;

    static auto Fields() {
      return std::tuple{
          Field{"alpha", &Params::alpha,
                "How much of a picture is its own is drawn from Beta(alpha, alpha): 1 draws it "
                "evenly, less mostly nearly all or nearly nothing.",
                Range{0.01, 100}, ElsewhereCalled{"mixup_alpha", "cutmix_alpha", "beta"}},
          Field{"probability", &Params::probability, "With which a batch is mixed.", Range{0, 1},
                ElsewhereCalled{"p", "prob", "mixup_prob"}}};
    }
  };

  ItemSpec output() const override { return upstream_; }
  Outcome<Batch> Map(Batch batch, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override;
  int variants(Split split) const override { return split == Split::kTrain ? 0 : 1; }

 protected:
  // Throws Error(kConfig) behind `prefetch`.
  MixingStage(std::string_view name, const Params& params, const BuildContext& context);

  virtual void Mix(Batch& batch, double part, CounterRandom& random) const = 0;

 private:
  const std::string name_;
  const Params params_;
  const ItemSpec upstream_;
  const std::uint64_t seed_;
};

class Mixup final : public MixingStage {
 public:
  static constexpr std::string_view kName = "mixup";
  static constexpr std::string_view kDoc =
      "Blends each picture of a batch, and its label, with another, in train passes.";

  Mixup(const Params& params, BuildContext& context) : MixingStage(kName, params, context) {}

 private:
  void Mix(Batch& batch, double part, CounterRandom& random) const override;
};

class Cutmix final : public MixingStage {
 public:
  static constexpr std::string_view kName = "cutmix";
  static constexpr std::string_view kDoc =
      "Pastes a part of another picture into each of a batch, and mixes their labels, in train "
      "passes.";

  Cutmix(const Params& params, BuildContext& context) : MixingStage(kName, params, context) {}

  // About 1 - part of the picture, around a centre that is drawn, cut off at the edges.
  static Box DrawBox(CounterRandom& random, int height, int width, double part);

 private:
  void Mix(Batch& batch, double part, CounterRandom& random) const override;
};

}  // namespace weir
