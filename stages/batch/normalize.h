// The stage `normalize`: batches of pictures as numbers, with torchvision's parameters and meaning:
//
//   (value / 255 - mean) / std, in float32, channels last: [N, H, W, 3]
//
// Ready for `safetensors`; no model is needed. Map() runs on many threads. A batch of them takes
// four times the pictures' bytes, and what its samples' paths take.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/payloads.h"

namespace weir {

class Normalize final : public ReadingMapStage<Batch, FeatureBatch> {
 public:
  static constexpr std::string_view kName = "normalize";
  static constexpr std::string_view kDoc =
      "Turns pictures into float32 numbers, (value / 255 - mean) / std, for `safetensors`; "
      "`features` scales pictures itself, as its weights want.";

  struct Params {
    std::array<double, 3> mean{0.485, 0.456, 0.406};
    std::array<double, 3> std{0.229, 0.224, 0.225};

    static auto Fields() {
      return std::tuple{
          Field{"mean", &Params::mean,
                "Of red, green and blue, each from 0 to 1; the defaults are ImageNet's.",
                Range{0, 1}, ElsewhereCalled{"means", "image_mean"}},
          Field{"std", &Params::std, "Their standard deviations, likewise.", Range{1e-6, 1000},
                ElsewhereCalled{"stddev", "stds", "image_std"}}};
    }
  };

  Normalize(const Params& params, BuildContext& context);

  ItemSpec output() const override { return output_; }
  Footprint footprint() const override { return {.item_bytes = output_.item_bytes}; }
  // Throws Error(kConfig) where the batch is on a device.
  Outcome<FeatureBatch> Map(const Batch& batch, StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override;

 private:
  const Params params_;
  ItemSpec output_;
  std::array<std::array<float, 256>, 3> tables_;  // what each value of each channel becomes
};

}  // namespace weir
