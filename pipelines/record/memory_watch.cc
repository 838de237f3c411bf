#include "pipelines/record/memory_watch.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "framework/byte_size.h"
#include "pipelines/record/process_begin.h"
#include "stages/train/torch/torch_library.h"

namespace weir {
namespace {

// Less room in a container than a twentieth of its limit is scarce, and less than may be taken
// between two ticks.
constexpr std::size_t kScarcePart = 20;
constexpr std::size_t kScarceBytes = std::size_t{8} << 20;
constexpr int kTicksToRest = 5;

bool IsScarce(const ContainerMemory& container) {
  return container.room_bytes() < std::max(container.limit_bytes / kScarcePart, kScarceBytes);
}

// What the process holds that no stage leased: measured, where the plan has its reserve.
std::size_t BesideLedger(const std::vector<Pipeline::Holding>& holdings, std::size_t held_bytes) {
  std::size_t leased = 0;
  for (std::size_t i = 1; i < holdings.size(); ++i) leased += holdings[i].bytes;
  return held_bytes - std::min(held_bytes, leased);
}

}  // namespace

MemoryWatch::MemoryWatch(Pipeline& pipeline, MemoryWatchOptions options)
    : pipeline_(&pipeline), options_(std::move(options)), log_(options_.log) {
  last_.limit_bytes = options_.limit_bytes;
  last_.process = ::getpid();
  last_.process_begin = ProcessBegin(last_.process).value_or(0);
  last_.time = std::time(nullptr);
  last_.doing = "starting";
  log_.Write(last_);
}

std::string MemoryWatch::Tick(const std::string& doing, std::uint64_t images_done,
                              std::uint64_t images) {
  last_.time = std::time(nullptr);
  last_.doing = doing;
  last_.images_done = images_done;
  last_.images = images;
  last_.container = options_.read_container();
  std::string said;
  if (ticks_to_rest_ > 0) {
    --ticks_to_rest_;
  } else if (last_.container && IsScarce(*last_.container)) {
    said = Squeeze(*last_.container);
  }
  last_.held_bytes = HeldMemory();
  last_.peak_held_bytes = std::max(last_.peak_held_bytes, last_.held_bytes);
  last_.available_bytes = AvailableMemory();
  last_.device = options_.read_device();
  last_.holdings = pipeline_->holdings();
  if (!last_.holdings.empty()) {
    Pipeline::Holding& process = last_.holdings.front();
    process.bytes = BesideLedger(last_.holdings, last_.held_bytes);
    process_peak_bytes_ = std::max(process_peak_bytes_, process.bytes);
    process.peak_bytes = process_peak_bytes_;
  }
  log_.Write(last_);
  if (said.empty() && !is_above_said_ && last_.held_bytes > last_.limit_bytes) {
    is_above_said_ = true;
    said = ToRoundText(ByteSize{last_.held_bytes}) + " are held, above the ceiling of " +
           ToRoundText(ByteSize{last_.limit_bytes}) +
           ": a stage, or a library, holds memory that it did not lease; `weir explain` says who "
           "leased what";
  }
  return said;
}

std::string MemoryWatch::Squeeze(const ContainerMemory& container) {
  const std::string step = pipeline_->Squeeze();
  TrimTorchMemory();
  malloc_trim(0);
  ticks_to_rest_ = kTicksToRest;
  if (step.empty()) return "";
  const bool is_first = last_.squeezed.empty();
  last_.squeezed = step;
  if (!is_first) return "";
  return "memory is scarce: " + ToRoundText(ByteSize{container.room_bytes()}) + " of " +
         ToRoundText(ByteSize{container.limit_bytes}) + " are left (" + container.file +
         "); going on with less at once, the result stays the same";
}

void MemoryWatch::End(const std::string& state) {
  last_.state = state;
  last_.time = std::time(nullptr);
  log_.Write(last_);
}

}  // namespace weir
