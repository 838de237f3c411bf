// A device side without a device: what libweir_cuda.so looks like from outside. It has one GPU of
// 1 GiB, of which 3/4 are free and its context holds 64 MiB.
#include "framework/error.h"
#include "stages/device/device.h"

namespace weir {
namespace {

class FakeUploader final : public Uploader {
 public:
  void Upload(Batch& batch) override {
    batch.device = std::make_shared<DeviceBatch>();
    batch.pixels = {};
  }
};

class FakePrefix final : public PrefixRunner {
 public:
  FeatureBatch Run(Batch batch) override {
    FeatureBatch features;
    features.samples = std::move(batch.samples);
    return features;
  }
};

class FakeDevice final : public Device {
 public:
  std::string name() const override { return "Fake GPU"; }
  std::string torch_device() const override { return "cuda:0"; }
  std::size_t total_bytes() const override { return 1 << 30; }
  std::size_t free_bytes() const override { return 3 << 28; }
  void SetLimit(std::size_t bytes) override {
    if (bytes < kContextBytes) Refuse("memory.device is too little");
    limit_bytes_ = bytes;
  }
  MemoryUsage usage() const override {
    return {.limit_bytes = limit_bytes_, .used_bytes = kContextBytes};
  }
  std::size_t uploader_bytes(int depth, std::size_t batch_bytes) const override {
    return depth * batch_bytes;
  }
  std::unique_ptr<Uploader> MakeUploader(int, std::size_t) override {
    return std::make_unique<FakeUploader>();
  }
  std::shared_ptr<PrefixRunner> MakePrefix(const Model&,
                                           const std::function<LayerReader(const Model&)>&,
                                           Precision, int, int) override {
    return std::make_shared<FakePrefix>();
  }
  void Issue(const std::string&, const std::function<void()>& work) override { work(); }
  bool Fits(const std::function<void()>&) override { return true; }
  JoinedDevices JoinRanks(const std::shared_ptr<RankGroup>&, std::chrono::milliseconds) override {
    return {nullptr, "it is no device"};
  }
  [[noreturn]] void Refuse(const std::string& what) override {
    throw Error(ErrorKind::kMemory, what, "Raise memory.device.");
  }

 private:
  static constexpr std::size_t kContextBytes = 1 << 26;
  std::size_t limit_bytes_ = total_bytes();
};

std::unique_ptr<Device> Open(int index) {
  if (index == 0) return std::make_unique<FakeDevice>();
  throw Error(ErrorKind::kConfig, "there is no GPU " + std::to_string(index) + " (there is 1)");
}

std::vector<GpuDescription> List() { return {{"Fake GPU", 1 << 30, 3 << 28, "9.0", "580.65.06"}}; }

}  // namespace
}  // namespace weir

extern "C" {
extern const weir::DeviceLibrary weir_device_library;
const weir::DeviceLibrary weir_device_library = {weir::kDeviceBuild, weir::Open, weir::List};
}
