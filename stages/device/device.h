// A GPU as the stages see it, and how one is chosen.
//
// The device side is a shared object of its own, libweir_cuda.so, opened only when a device is
// asked for and there is a driver: a run on the host pays nothing for it, in memory or in time.
// This header is all that the two know of each other; they are built together, which is checked.
//
// A Device may be used from any thread. It ends after all that it made.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/config.h"
#include "framework/config/device_selection.h"
#include "framework/config/params.h"
#include "framework/memory/memory_budget.h"
#include "stages/chosen_device.h"
#include "stages/device/prefix_runner.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/ranks/rank_group.h"

namespace weir {

class DepthwiseKernels;

// Ranks whose devices exchange what is on them without the hosts, or why they cannot: in words, the
// same on all ranks.
struct JoinedDevices {
  std::shared_ptr<RankGroup> group;
  std::string why_not;
};

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
  // Error(kMemory) where it holds more already. Called before anything is made.
  virtual void SetLimit(std::size_t bytes) = 0;
  // What is in use there, as it was measured last, and at most since the beginning.
  virtual MemoryUsage usage() const = 0;

  // Between the two, what the process holds there is measured again while the work of a pass is
  // issued, as kernels and workspaces come with their first use: more and more seldom, and in
  // EndPass. Where the limit has been passed, that work or EndPass throws Error(kMemory). Called
  // while nothing is issued.
  virtual void BeginPass() {}
  virtual void EndPass() {}

  // What an uploader holds on the host.
  virtual std::size_t uploader_bytes(int depth, std::size_t batch_bytes) const = 0;

  // Slots for `depth` batches of `batch_bytes` that are ready and one that is being read, on the
  // host and on the device. Throws Error(kMemory) where the limit has no room for them.
  virtual std::unique_ptr<Uploader> MakeUploader(int depth, std::size_t batch_bytes) = 0;

  // Throws Error(kConfig) where the card is not made for what the prefix is to be computed in.
  virtual void CheckPrecision(Precision) const {}

  // The frozen prefix of `model` (of no layers: preprocessing alone), run over as many samples at
  // once as the limit has room for. It calls `open` at most once, before it returns; `model`
  // outlives it. Features of up to `staying` batches may stay there at once, as long as there is
  // room. Throws Error(kMemory) where not one sample fits.
  virtual std::shared_ptr<PrefixRunner> MakePrefix(
      const Model& model, const std::function<LayerReader(const Model&)>& open, Precision precision,
      int batch_size, int staying = 0) = 0;

  // For work in LibTorch of others than the prefix: runs `work` in the one thread that issues the
  // device's work, on the device and a stream of its own, and returns when it has run; what it
  // queued may still be under way there. What it throws is thrown here, but LibTorch's want of
  // memory as Refuse(what). Not from within `work`.
  virtual void Issue(const std::string& what, const std::function<void()>& work) = 0;

  // Its own depthwise convolutions, for work that is issued (depthwise_kernels.h); they live as
  // long as it does. Null where LibTorch is to compute these.
  virtual const DepthwiseKernels* depthwise() const { return nullptr; }

  // Whether `work`, issued as above, can be done within the limit: waits for its end. Where it does
  // not fit, what LibTorch holds free is given back.
  virtual bool Fits(const std::function<void()>& work) = 0;

  // For what is made later and does not fit: a prefix that was made here, and has run nothing yet,
  // works on half as many samples at once, and what that frees is given back. False where none can.
  virtual bool MakeRoom() { return false; }

  // Joins the devices of all ranks, which all call it, before anything is made there. `hosts` is
  // what the ranks have on their hosts, and outlives the group, which ends before this device; its
  // exchanges are made within Issue. Throws Error(kMemory) where what that takes does not fit.
  virtual JoinedDevices JoinRanks(const std::shared_ptr<RankGroup>& hosts,
                                  std::chrono::milliseconds timeout) = 0;

  // Throws Error(kMemory): "`what`: 580 MiB of 600 MiB are in use ...".
  [[noreturn]] virtual void Refuse(const std::string& what) = 0;
};

// What a job may hold, for the stage that chooses; provided by the command.
struct JobCeilings {
  static constexpr std::string_view kResource = "ceilings";
  std::size_t host_bytes = static_cast<std::size_t>(-1);
  Auto<DeviceMemory> device;
};

// What the configuration says at its top level, for a stage whose own `device` is auto, and which
// GPU each of several processes takes; provided by the command.
struct JobDevice {
  static constexpr std::string_view kResource = "job's device";
  DeviceSelection selection;
  // The GPU of this process, counted from 0, where the selection names none but the first.
  int own_gpu = 0;

  // What is wanted of `of_stage`, which is auto where the stage leaves it to the job.
  DeviceSelection For(const DeviceSelection& of_stage) const;
};

// What `auto` wants below memory.host beside what is held already, before it loads anything, as
// that cannot be given back. The device side's libraries take 130 MiB of private memory (measured);
// the driver's context and its copies of kernels are not measured, and taken as three times that.
inline constexpr std::size_t kHostRoomOfDevice = std::size_t{512} << 20;

// What `auto` wants below memory.device beside what CUDA and its libraries hold once they have
// worked: 64 MiB for kernels that are loaded later (DeviceLedger::kKernelRoom); 32 MiB for the
// second of cuBLAS's workspaces (LibTorch gives it so much a stream on new cards); 64 MiB for
// all of MobileNetV2 in float32 with gradients and two slots of an optimizer (4 x 14 MB); 64 MiB
// for one picture's maps at 224 x 224 (9.6 MB where the prefix is widest, some 30 MB kept where all
// of it learns) and a batch on its way.
inline constexpr std::size_t kLeastDeviceRoom = std::size_t{224} << 20;

// `auto` takes a GPU only where the processor would need more than so many seconds for the network
// of the whole job. A GPU begins late: CUDA's context takes 0.3 to 3 s, then come its libraries and
// the first use of each kernel. That is an estimate, as nothing of it was measured on a card.
inline constexpr double kLeastHostSeconds = 20;

// Where a driver and the device side are looked for.
struct DeviceSearch {
  std::function<bool()> has_driver;
  std::vector<std::filesystem::path> folders;  // where libweir_cuda.so is looked for, in this order

  static DeviceSearch Default();  // this machine, and OwnLibraryFolders() (own_library.h)
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

// How many seconds the processor would need for the job (host_time.h); nothing where that is not
// known, and the job then counts as long.
using HostTime = std::function<std::optional<double>()>;

// `auto` takes a GPU where there is one, the job is long enough for it, and there is room for it on
// the host and with kLeastDeviceRoom to spare there, else the host, with the reason; `host_time`
// is asked only where there is a driver, and may be empty. Where `cuda` was asked for, throws
// Error(kConfig) that says why there is none, and Error(kMemory) where CUDA itself does not fit.
// What is taken has its context, which takes memory of the host too, and its limit. So has a GPU
// that is found too full.
ChosenDevice ChooseDevice(const DeviceSelection& selection,
                          const DeviceSearch& search = DeviceSearch::Default(),
                          const JobCeilings& ceilings = {}, const HostTime& host_time = {});

// What libweir_cuda.so exports under kDeviceLibrarySymbol: extern "C", a pointer to one of these.
struct DeviceLibrary {
  const char* build;  // kDeviceBuild, as it was when the library was compiled
  // Throws Error(kConfig) where there is no such device, or it cannot be used.
  std::unique_ptr<Device> (*open)(int index);
  // Throws Error(kConfig) where there is none.
  std::vector<GpuDescription> (*list)();
};
inline constexpr const char* kDeviceLibrarySymbol = "weir_device_library";
// Interface 10; raised with every change of what is above.
inline constexpr const char* kDeviceBuild = "10, compiler " __VERSION__;

}  // namespace weir
