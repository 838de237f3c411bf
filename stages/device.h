// A GPU as the stages see it, and how one is chosen.
//
// The device side is a shared object of its own, libweir_cuda.so, opened only when a device is
// asked for and there is a driver: a run on the host pays nothing for it, in memory or in time.
// This header is all that the two know of each other; they are built together, which is checked.
//
// A Device may be used from any thread. It ends after all that it made.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config.h"
#include "framework/memory_budget.h"
#include "framework/params.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/prefix_runner.h"

namespace weir {

// Brings batches to the device through a ring of pinned slots and a copy stream of its own.
class Uploader {
 public:
  virtual ~Uploader() = default;

  // Copies the pixels to a slot, starts their way to the device and returns: `batch.pixels` is
  // given back, `batch.device` holds the slot until the batch ends, and knows the event that work
  // on it has to wait for. Where every slot is taken the batch stays on the host as it is. One
  // thread at a time.
  virtual void Upload(Batch& batch) = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual std::string name() const = 0;          // "NVIDIA H100 80GB HBM3"
  virtual std::string torch_device() const = 0;  // "cuda:0"
  virtual std::size_t total_bytes() const = 0;
  virtual std::size_t free_bytes() const = 0;  // now, to this process

  // The ceiling of what this process holds there, its context and workspaces included. Throws
  // Error(kMemory) where it holds more already. Called once, before anything is made.
  virtual void SetLimit(std::size_t bytes) = 0;
  virtual MemoryUsage usage() const = 0;

  // What an uploader holds on the host.
  virtual std::size_t uploader_bytes(int depth, std::size_t batch_bytes) const = 0;

  // `depth` slots of `batch_bytes`, on the host and on the device. Throws Error(kMemory) where the
  // limit has no room for them.
  virtual std::unique_ptr<Uploader> MakeUploader(int depth, std::size_t batch_bytes) = 0;

  // The frozen prefix of `model` (of no layers: preprocessing alone), run over as many samples at
  // once as the limit has room for. It calls `load` at most once, before it returns; `model`
  // outlives it. Throws Error(kMemory) where not one sample fits.
  virtual std::unique_ptr<PrefixRunner> MakePrefix(
      const Model& model, const std::function<BackboneWeights(const Model&)>& load,
      Precision precision, int batch_size) = 0;
};

// What a configuration asks for.
struct DeviceSelection {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;  // of cuda:1
};

template <>
struct ParamType<DeviceSelection> {
  static TypeWords Words(const FieldRules&) { return {"auto, cpu, cuda or cuda:N", "devices"}; }
  static std::optional<DeviceSelection> Read(const YamlNode&, const FieldRules&, Problems&);
  static YamlNode Write(const DeviceSelection&, const FieldRules&);
};

// What was taken; provided by the stage that brings batches there.
struct ChosenDevice {
  static constexpr std::string_view kResource = "device";
  std::shared_ptr<Device> device;  // null: the host
  std::string reason;  // for people: "there is no NVIDIA driver here (/dev/nvidiactl is missing)"
};

// Where a driver and the device side are looked for.
struct DeviceSearch {
  std::vector<std::filesystem::path> drivers;  // of which one must exist: device files
  std::vector<std::filesystem::path> folders;  // of libweir_cuda.so, in this order

  static DeviceSearch Default();  // beside the running binary, and in lib/ and ../lib/ from there
};

// `memory.device` in bytes: the size, the part of what the device has, or all that is free there
// now and what this process holds already.
std::size_t DeviceLimit(const Auto<DeviceMemory>& wanted, const Device& device);

// For people: what `weir devices` shows.
struct GpuDescription {
  std::string name;
  std::size_t total_bytes = 0;
  std::size_t free_bytes = 0;      // now
  std::string compute_capability;  // "9.0"
  std::string driver;              // its version, "580.65.06"; empty where it is not told
};

// Every GPU, in the order of cuda:0, cuda:1... Throws Error(kConfig) that says why there is none.
std::vector<GpuDescription> ListGpus(const DeviceSearch& search = DeviceSearch::Default());

// `auto` takes a GPU where there is one; throws Error(kConfig) that says why not where `cuda` was
// asked for.
ChosenDevice ChooseDevice(const DeviceSelection& selection,
                          const DeviceSearch& search = DeviceSearch::Default());

// What libweir_cuda.so exports under kDeviceLibrarySymbol: extern "C", a pointer to one of these.
struct DeviceLibrary {
  const char* build;  // kDeviceBuild, as it was when the library was compiled
  // Throws Error(kConfig) where there is no such device, or it cannot be used.
  std::unique_ptr<Device> (*open)(int index);
  // Throws Error(kConfig) where there is none.
  std::vector<GpuDescription> (*list)();
};
inline constexpr const char* kDeviceLibrarySymbol = "weir_device_library";
// Interface 2; raised with every change of what is above.
inline constexpr const char* kDeviceBuild = "2, compiler " __VERSION__;

}  // namespace weir
