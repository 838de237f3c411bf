#include "stages/device/device.h"

#include <dlfcn.h>

#include <algorithm>
#include <variant>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/memory/host_memory.h"
#include "stages/device/host_time.h"
#include "stages/files/own_library.h"
#include "stages/nvidia_driver.h"

namespace weir {
namespace {

constexpr const char* kLibraryName = "libweir_cuda.so";

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorKind::kConfig, why); }

std::filesystem::path FindLibrary(const std::vector<std::filesystem::path>& folders) {
  std::filesystem::path found = FindOwnLibrary(folders, kLibraryName);
  if (!found.empty()) return found;
  Refuse("this weir was built without CUDA (there is no " + std::string(kLibraryName) +
         " beside it)");
}

// Never closed: what it made, and the driver's threads, live to the end of the process.
const DeviceLibrary& OpenLibrary(const std::filesystem::path& path) {
  return *static_cast<const DeviceLibrary*>(OpenOwnLibrary(path, {.title = "device side",
                                                                  .symbol = kDeviceLibrarySymbol,
                                                                  .build = kDeviceBuild,
                                                                  .mode = RTLD_NOW}));
}

std::filesystem::path FindDeviceSide(const DeviceSearch& search) {
  if (!search.has_driver()) {
    Refuse("there is no NVIDIA driver here (/dev/nvidiactl is missing)");
  }
  return FindLibrary(search.folders);
}

void CheckHostRoom(std::size_t limit_bytes) {
  const std::size_t room = limit_bytes - std::min(limit_bytes, HeldMemory());
  if (room >= kHostRoomOfDevice) return;
  throw Error(ErrorKind::kMemory, "memory.host leaves " + ToRoundText(ByteSize{room}) +
                                      " for a GPU's libraries and driver, and " +
                                      ToRoundText(ByteSize{kHostRoomOfDevice}) + " are wanted");
}

void CheckIsLong(std::optional<double> host_seconds) {
  if (!host_seconds || *host_seconds > kLeastHostSeconds) return;
  Refuse("the processor needs some " + RoughText(*host_seconds) +
         " for this job, too few for a GPU to pay off; `device: cuda` takes it anyway");
}

void CheckRoom(const MemoryUsage& usage) {
  const std::size_t room = usage.limit_bytes - std::min(usage.limit_bytes, usage.used_bytes);
  if (room >= kLeastDeviceRoom) return;
  throw Error(ErrorKind::kMemory, "has only " + ToRoundText(ByteSize{room}) +
                                      " for this job beside CUDA's own " +
                                      ToRoundText(ByteSize{usage.used_bytes}) + ", and " +
                                      ToRoundText(ByteSize{kLeastDeviceRoom}) + " are wanted");
}

}  // namespace

DeviceSearch DeviceSearch::Default() {
  return {.has_driver = [] { return HasNvidiaDriver(); }, .folders = OwnLibraryFolders()};
}

DeviceSelection JobDevice::For(const DeviceSelection& of_stage) const {
  const bool is_auto = of_stage.kind == DeviceSelection::Kind::kAuto;
  DeviceSelection wanted = is_auto ? selection : of_stage;
  if (wanted.kind != DeviceSelection::Kind::kCpu && wanted.index == 0) wanted.index = own_gpu;
  return wanted;
}

std::size_t DeviceLimit(const Auto<DeviceMemory>& wanted, const Device& device) {
  if (wanted.is_auto()) {
    const std::size_t held_bytes = device.usage().used_bytes;  // first: it may come to hold more
    return held_bytes + device.free_bytes();
  }
  const auto& amount = wanted.value().amount;
  if (const auto* size = std::get_if<ByteSize>(&amount)) return size->bytes;
  return static_cast<std::size_t>(std::get<double>(amount) *
                                  static_cast<double>(device.total_bytes()));
}

std::vector<GpuDescription> ListGpus(const DeviceSearch& search) {
  return OpenLibrary(FindDeviceSide(search)).list();
}

ChosenDevice ChooseDevice(const DeviceSelection& selection, const DeviceSearch& search,
                          const JobCeilings& ceilings, const HostTime& host_time) {
  if (selection.kind == DeviceSelection::Kind::kCpu) return {nullptr, "`device: cpu` says so"};
  const bool is_auto = selection.kind == DeviceSelection::Kind::kAuto;
  std::shared_ptr<Device> device;
  std::optional<double> host_seconds;
  try {
    const std::filesystem::path library = FindDeviceSide(search);
    if (is_auto) {
      if (host_time) host_seconds = host_time();
      CheckIsLong(host_seconds);
      CheckHostRoom(ceilings.host_bytes);
    }
    device = OpenLibrary(library).open(selection.index);
  } catch (const Error& error) {
    if (is_auto) return {nullptr, error.what()};
    throw Error(ErrorKind::kConfig,
                "prefetch: `device: cuda` is asked for, but " + std::string(error.what()),
                "Write `device: auto` to run on the processor where there is no GPU.");
  }
  try {
    device->SetLimit(DeviceLimit(ceilings.device, *device));
    if (is_auto) CheckRoom(device->usage());
  } catch (const Error& error) {
    if (is_auto) return {nullptr, device->name() + " is there, but " + error.what()};
    throw;
  }
  const std::string why_not_host =
      host_seconds ? ", and the processor would need some " + RoughText(*host_seconds) : "";
  return {device, device->name() + " is there" + why_not_host};
}

}  // namespace weir
