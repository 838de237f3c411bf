// Gathers pictures of one size into batches, in the order of the flow: each is copied into its slot
// of a slab that is taken with the first one. A batch is a window of the pass (Batching), counted
// from where the pass begins; of a window whose pictures are all dropped there is no batch. Where
// ranks share a training, a batch here is this rank's part of the window (RankShare).
//
// A batch takes size * height * width * 3 bytes and what its samples' paths take. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/payloads.h"
#include "stages/ranks/rank_share.h"

namespace weir {

class BatchImages final : public GatherStage<Image, Batch> {
 public:
  static constexpr std::string_view kName = "batch";
  static constexpr std::string_view kDoc = "Gathers pictures of one size into batches.";

  struct Params {
    int size = 32;
    bool drop_last = false;

    static auto Fields() {
      return std::tuple{
          Field{"size", &Params::size, "Pictures in a batch, those that cannot be used included.",
                Range{1, 65536}, ElsewhereCalled{"batch_size", "bs", "train_batch_size"}},
          Field{"drop_last", &Params::drop_last,
                "Leave out what is over at the end of a train pass, if that is fewer than `size`.",
                ElsewhereCalled{"drop_remainder", "drop_last_batch"}}};
    }
  };

  // Provides the Batching. Throws Error(kConfig) where the size of what arrives is not fixed.
  BatchImages(const Params& params, BuildContext& context);

  static std::vector<ResourceUse> Provides() { return {ResourceOf<Batching>()}; }

  ItemSpec output() const override;
  Footprint footprint() const override;
  // The half of its size, a quarter of it, and so on.
  std::vector<Lowerable> lowerable() const override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override { return ""; }
  void BeginPass(const Pass& pass) override;
  std::optional<Batch> Add(const Image& image, StageContext& context) override;
  std::optional<Batch> Complete(StageContext& context) override;
  std::optional<Batch> Flush(StageContext& context) override;

 private:
  const Params params_;
  RankShare share_;  // one rank's, which has the whole batch, where there are no others
  int height_ = 0;
  int width_ = 0;
  std::uint64_t first_order_ = 0;  // where the pass begins
  std::uint64_t end_order_ =
      0;  // behind what batch_ is filled from: the window, or this rank's part
  Batch batch_;
};

}  // namespace weir
