#include "stages/device/prefetch.h"

#include <utility>

#include "stages/device/host_time.h"

namespace weir {
namespace {

constexpr int kReadyOnDevice = 2;
// One would wait for the same cores that it is made by.
constexpr int kReadyOnHost = 0;

}  // namespace

Prefetch::Prefetch(const Params& params, BuildContext& context) : batches_(context.upstream) {
  const auto ceilings = context.resources.Find<JobCeilings>();
  const auto of_job = context.resources.Find<JobDevice>();
  auto chosen = std::make_shared<ChosenDevice>(
      ChooseDevice(of_job ? of_job->For(params.device) : params.device, DeviceSearch::Default(),
                   ceilings ? *ceilings : JobCeilings(), [&] { return HostSeconds(context); }));
  device_ = chosen->device;
  depth_ =
      params.depth.is_auto() ? (device_ ? kReadyOnDevice : kReadyOnHost) : params.depth.value();
  context.resources.Put(std::move(chosen));
}

Footprint Prefetch::footprint() const {
  constexpr int kFillingAndInUse = 2;  // beside those that are ready
  Footprint footprint;
  if (depth_ > 0) footprint.max_items = depth_ + kFillingAndInUse;
  if (device_) {
    footprint.held = {
        {"pinned slots", MemoryTag::kBatch, device_->uploader_bytes(depth_, batches_.item_bytes)}};
  }
  return footprint;
}

void Prefetch::Open(OpenContext&) {
  if (device_) uploader_ = device_->MakeUploader(depth_, batches_.item_bytes);
}

void Prefetch::BeginPass(const Pass&) {
  if (device_) device_->BeginPass();
}

void Prefetch::EndPass(const Pass&) {
  if (device_) device_->EndPass();
}

Outcome<Batch> Prefetch::Map(Batch batch, StageContext&) {
  if (uploader_) uploader_->Upload(batch);
  return batch;
}

}  // namespace weir
