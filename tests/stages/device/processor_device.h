// LibTorch's own processor in the place of a GPU: everything is as on a device (one thread issues
// the work, the state is apart from what the host sees, what fits is found by trying), but that the
// device's memory is the host's.
//
// "There" is a budget of its own, which LibTorch is granted beside what the stages lease.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/device/cuda/issuing_thread.h"
#include "stages/device/device.h"
#include "stages/train/torch/torch_allocator.h"

namespace weir {

class ProcessorDevice final : public Device {
 public:
  // What one try may take beyond what LibTorch holds when it begins.
  explicit ProcessorDevice(std::size_t most_bytes = kMemoryBytes) : most_bytes_(most_bytes) {
    std::vector<Lease> leases;
    leases.push_back(*memory_.TryAcquire(MemoryTag::kActivation, kMemoryBytes));
    grant_ = TorchAllocator::Install().Grant(std::move(leases), "the device");
  }

  std::string name() const override { return "the processor"; }
  std::string torch_device() const override { return "cpu"; }
  std::size_t total_bytes() const override { return kMemoryBytes; }
  std::size_t free_bytes() const override { return kMemoryBytes; }
  void SetLimit(std::size_t) override {}
  MemoryUsage usage() const override { return memory_.usage(); }
  std::size_t uploader_bytes(int, std::size_t) const override { return 0; }
  std::unique_ptr<Uploader> MakeUploader(int, std::size_t) override { return nullptr; }
  std::shared_ptr<PrefixRunner> MakePrefix(const Model&,
                                           const std::function<LayerReader(const Model&)>&,
                                           Precision, int, int) override {
    return nullptr;
  }

  void Issue(const std::string&, const std::function<void()>& work) override { thread_.Run(work); }

  bool Fits(const std::function<void()>& work) override {
    TorchAllocator& allocator = TorchAllocator::Install();
    allocator.ResetPeak();
    const std::size_t before = allocator.usage().used_bytes;
    thread_.Run(work);
    tries.push_back(allocator.usage().peak_used_bytes - before);
    return tries.back() <= most_bytes_;
  }

  JoinedDevices JoinRanks(const std::shared_ptr<RankGroup>& hosts,
                          std::chrono::milliseconds) override {
    return {hosts, ""};
  }

  [[noreturn]] void Refuse(const std::string& what) override {
    throw Error(ErrorKind::kMemory, what, "Raise memory.device.");
  }

  std::vector<std::size_t> tries;  // what each took

 private:
  static constexpr std::size_t kMemoryBytes = std::size_t{1} << 30;
  const std::size_t most_bytes_;
  MemoryBudget memory_{kMemoryBytes};
  TorchGrant grant_;
  IssuingThread thread_;
};

}  // namespace weir
