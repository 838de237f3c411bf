// One GPU as the stages see it, and the table by which libweir_cuda.so is known (device.h). The
// context and LibTorch's part begin with SetLimit, or with the first that is made, and have worked
// once then: to ask for names and sizes costs nothing on the device.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/device/cuda/cuda_depthwise.h"
#include "stages/device/cuda/cuda_error.h"
#include "stages/device/cuda/cuda_gpus.h"
#include "stages/device/cuda/cuda_issuer.h"
#include "stages/device/cuda/cuda_meter.h"
#include "stages/device/cuda/cuda_prefix.h"
#include "stages/device/cuda/nccl_group.h"
#include "stages/device/cuda/pinned_slots.h"
#include "stages/device/cuda/torch_arithmetic.h"
#include "stages/device/cuda/warm_up.h"
#include "stages/device/device.h"

namespace weir {
namespace {

constexpr int kAmpere = 8;  // its major compute capability

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index)
      : index_(index),
        description_(Describe(index, nvml_)),
        meter_(index, AddressOf(index), nvml_),
        ledger_(meter_, description_.total_bytes) {}

  ~CudaDevice() override {
    if (!issuer_) return;  // it was never started
    issuer_.reset();
    GiveBackCache();
  }

  std::string name() const override { return description_.name; }
  std::string torch_device() const override { return "cuda:" + std::to_string(index_); }
  std::size_t total_bytes() const override { return description_.total_bytes; }
  std::size_t free_bytes() const override { return Describe(index_, nvml_).free_bytes; }

  void SetLimit(std::size_t bytes) override {
    DeviceLedger::CheckLimit(bytes);
    Start();
    ledger_.SetLimit(bytes);
  }

  MemoryUsage usage() const override {
    Start();
    return ledger_.usage();
  }

  void BeginPass() override { ledger_.BeginPass(); }
  void EndPass() override { ledger_.SettleAtEnd(); }

  std::size_t uploader_bytes(int depth, std::size_t batch_bytes) const override {
    return Slots(depth) * PinnedSlots::SlotBytes(batch_bytes);
  }

  std::unique_ptr<Uploader> MakeUploader(int depth, std::size_t batch_bytes) override {
    Start();
    auto slots = std::make_unique<PinnedSlots>(index_, ledger_, Slots(depth), batch_bytes);
    return std::make_unique<RingUploader>(
        std::make_shared<SlotRing>(std::move(slots), Slots(depth)));
  }

  // Older GPUs have neither: LibTorch works bfloat16 out in float32, value by value, and cuBLAS
  // leaves float32 as it is.
  void CheckPrecision(Precision precision) const override {
    const bool is_tf32 = precision == Precision::kTf32;
    if (!is_tf32 && precision != Precision::kBfloat16) return;
    if (std::stoi(description_.compute_capability) >= kAmpere) return;
    throw Error(
        ErrorKind::kConfig,
        "features: " + name() + " is of compute capability " + description_.compute_capability +
            ", and " +
            (is_tf32 ? "tf32 is made for 8.0 or newer: there it is float32"
                     : "bfloat16 is made for 8.0 or newer: there it is slower than float32"),
        "Leave `precision` out.");
  }

  std::shared_ptr<PrefixRunner> MakePrefix(const Model& model,
                                           const std::function<LayerReader(const Model&)>& open,
                                           Precision precision, int batch_size,
                                           int staying) override {
    Start();
    const auto prefix = MakeCudaPrefix(index_, ledger_, thread_, model, open, precision, batch_size,
                                       depthwise_, staying);
    std::lock_guard lock(prefixes_mutex_);
    prefixes_.push_back(prefix);
    return prefix;
  }

  void Issue(const std::string& what, const std::function<void()>& work) override {
    Start();
    issuer_->Issue(what, work);
  }

  const DepthwiseKernels* depthwise() const override { return &depthwise_; }

  bool Fits(const std::function<void()>& work) override {
    Start();
    return issuer_->Fits(work);
  }

  bool MakeRoom() override {
    std::lock_guard lock(prefixes_mutex_);
    for (const auto& made : prefixes_) {
      const auto prefix = made.lock();
      if (prefix && prefix->Halve()) return true;
    }
    return false;
  }

  JoinedDevices JoinRanks(const std::shared_ptr<RankGroup>& hosts,
                          std::chrono::milliseconds timeout) override {
    Start();
    JoinedDevices joined;
    thread_.Run([&] {
      const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(index_));
      joined = JoinByNccl(Place(), hosts, timeout);
    });
    if (!ledger_.Settle()) ledger_.Refuse("train: what NCCL holds does not fit on the GPU");
    return {EndingHere(std::move(joined.group)), joined.why_not};
  }

  [[noreturn]] void Refuse(const std::string& what) override { ledger_.Refuse(what); }

 private:
  // What ends on the GPU, and in another thread would end on that thread's.
  std::shared_ptr<RankGroup> EndingHere(std::shared_ptr<RankGroup> group) {
    if (!group) return nullptr;
    RankGroup* const same = group.get();
    return {same, [this, held = std::move(group)](RankGroup*) mutable {
              thread_.Run([&] {
                const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(index_));
                held.reset();
              });
            }};
  }

  // The machine and the card.
  std::string Place() const {
    std::array<char, 256> machine{};
    gethostname(machine.data(), machine.size() - 1);
    const GpuAddress gpu = AddressOf(index_);
    return std::string(machine.data()) + " " + gpu.uuid + " " + gpu.bus_id;
  }

  // For the batches that are ready, and one that is being read: what learns holds no slot.
  static int Slots(int depth) { return depth + 1; }

  // LibTorch keeps what is free for whoever comes next, and the next device of this process would
  // take that for CUDA's own. A card that fails here has failed what used it.
  void GiveBackCache() const noexcept {
    namespace allocator = c10::cuda::CUDACachingAllocator;
    try {
      const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(index_));
      cudaDeviceSynchronize();
      allocator::emptyCache();
      allocator::resetPeakStats(static_cast<c10::DeviceIndex>(index_));
    } catch (const c10::Error&) {
      cudaGetLastError();  // it is told once
    }
  }

  void Start() const {
    std::call_once(started_, [this] {
      MakeContext();
      CallTorch(ledger_, "the GPU", [] {
        at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
        UseExactTorchArithmetic();
      });
      // What it computes on the host, a conversion of weights, it computes alone: LibTorch would
      // start a thread for each core there, and keep them.
      thread_.Run([] { at::set_num_threads(1); });
      ledger_.Settle();  // LibTorch still keeps to what the device before this one left it
      {
        // By an issuer of its own, so that what it takes can be given back.
        CudaIssuer warm_up(index_, ledger_, thread_, /*is_urgent=*/false);
        const bool works = warm_up.Fits([this] {
          WarmUp(c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index_)),
                 depthwise_);
        });
        if (!works) ledger_.Refuse("CUDA's libraries do not fit on the GPU");
        warm_up.GiveBack();
      }
      issuer_.emplace(index_, ledger_, thread_, /*is_urgent=*/false);
      ledger_.Settle();
    });
  }

  // Threads that wait for the card sleep: by default CUDA has them spin where there are no more
  // contexts than cores, and a core that spins decodes nothing. Whatever stands in the way of that
  // stands in the way of a context, too.
  void MakeContext() const {
    cudaInitDevice(index_, cudaDeviceScheduleBlockingSync, cudaInitDeviceFlagsAreValid);
    cudaGetLastError();  // it is told once
    const cudaError_t status = cudaSetDevice(index_);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw Error(ErrorKind::kMemory, "CUDA itself does not fit on the GPU: others hold all of it",
                  "End them, or run on the processor (prefetch: {device: cpu}).");
    }
    Check(status, "be used");
  }

  const int index_;
  const Nvml nvml_;
  const GpuDescription description_;
  const CudaDepthwise depthwise_;
  CudaMeter meter_;
  mutable DeviceLedger ledger_;
  mutable IssuingThread thread_;              // issues the work of all that is made here
  mutable std::optional<CudaIssuer> issuer_;  // issues others' work; there from Start on
  mutable std::once_flag started_;
  std::mutex prefixes_mutex_;
  std::vector<std::weak_ptr<CudaPrefix>> prefixes_;  // all that were made here
};

std::unique_ptr<Device> Open(int index) {
  const int count = CountGpus();
  if (index >= count) {
    throw Error(ErrorKind::kConfig, "there is no GPU " + std::to_string(index) + " (there " +
                                        (count == 1 ? "is 1" : "are " + std::to_string(count)) +
                                        ", counted from 0)");
  }
  CheckGpu(index);
  return std::make_unique<CudaDevice>(index);
}

std::vector<GpuDescription> List() {
  const Nvml nvml;
  std::vector<GpuDescription> gpus;
  const int count = CountGpus();
  for (int index = 0; index < count; ++index) gpus.push_back(Describe(index, nvml));
  return gpus;
}

}  // namespace
}  // namespace weir

extern "C" {
// NOLINTNEXTLINE(readability-identifier-naming): as kDeviceLibrarySymbol has it
extern const weir::DeviceLibrary weir_device_library;
const weir::DeviceLibrary weir_device_library = {weir::kDeviceBuild, weir::Open, weir::List};
}
