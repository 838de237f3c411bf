// The stage `prefetch`: keeps batches ready ahead of what learns, and brings them to the device
// where there is one.
//
// It chooses the device within the JobCeilings, where the resources have them, and the JobDevice
// where its own is auto, by how long the JobCourse would keep the processor at work. It puts the
// ChosenDevice there, and tells it of each pass. Map() is called by one thread at a time. On the
// host it hands batches over and holds nothing; with a device it holds `depth` + 1 pinned slots of
// a batch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/device/device.h"
#include "stages/payloads.h"

namespace weir {

class Prefetch final : public MapStage<Batch, Batch> {
 public:
  static constexpr std::string_view kName = "prefetch";
  static constexpr std::string_view kDoc = "Keeps batches ready, on the device where there is one.";
  static constexpr Concurrency kConcurrency = Concurrency::kSerial;

  struct Params {
    DeviceSelection device;
    Auto<int> depth{};

    static auto Fields() {
      return std::tuple{
          Field{"device", &Params::device,
                "Where the model runs and learns: auto is what `device` of the "
                "whole file says.",
                ElsewhereCalled{"accelerator"}},
          Field{"depth", &Params::depth,
                "Batches that are ready beside the one in use and the one that "
                "fills: auto is 2 on a device, none on the host.",
                Range{1, 16}, ElsewhereCalled{"prefetch_factor", "buffer_size", "max_queue_size"}}};
    }
  };

  // Throws Error(kConfig) where a device is asked for and cannot be had, Error(kMemory) where it is
  // full. With a device, CUDA's context is made here: what it takes of the host is there before the
  // plan measures that.
  Prefetch(const Params& params, BuildContext& context);

  static std::vector<ResourceUse> Provides() { return {ResourceOf<ChosenDevice>()}; }

  ItemSpec output() const override { return batches_; }
  Footprint footprint() const override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override { return ""; }
  void Open(OpenContext& context) override;
  void BeginPass(const Pass& pass) override;
  void EndPass(const Pass& pass) override;
  Outcome<Batch> Map(Batch batch, StageContext& context) override;

 private:
  const ItemSpec batches_;
  int depth_ = 0;
  std::shared_ptr<Device> device_;  // null: the host
  std::unique_ptr<Uploader> uploader_;
};

}  // namespace weir
