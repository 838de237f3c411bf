// A device side without a device: what libweir_cuda.so looks like from outside. It has one GPU.
#include "framework/error.h"
#include "stages/device.h"

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
  std::size_t total_bytes() const override { return 1 << 20; }
  std::size_t free_bytes() const override { return 3 << 18; }
  void SetLimit(std::size_t) override {}
  MemoryUsage usage() const override { return {.used_bytes = 1 << 16}; }
  std::size_t uploader_bytes(int depth, std::size_t batch_bytes) const override {
    return depth * batch_bytes;
  }
  std::unique_ptr<Uploader> MakeUploader(int, std::size_t) override {
    return std::make_unique<FakeUploader>();
  }
  std::unique_ptr<PrefixRunner> MakePrefix(const Model&,
                                           const std::function<BackboneWeights(const Model&)>&,
                                           Precision, int) override {
    return std::make_unique<FakePrefix>();
  }
};

std::unique_ptr<Device> Open(int index) {
  if (index == 0) return std::make_unique<FakeDevice>();
  throw Error(ErrorKind::kConfig, "there is no GPU " + std::to_string(index) + " (there is 1)");
}

std::vector<GpuDescription> List() { return {{"Fake GPU", 1 << 20, 1 << 19, "9.0", "580.65.06"}}; }

}  // namespace
}  // namespace weir

extern "C" {
extern const weir::DeviceLibrary weir_device_library;
const weir::DeviceLibrary weir_device_library = {weir::kDeviceBuild, weir::Open, weir::List};
}
