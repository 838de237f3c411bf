#include "stages/device/cuda/nvml.h"

#include <dlfcn.h>

#include <array>
#include <vector>

namespace weir {
namespace {

// The parts of NVML's stable C interface that are used here, as its reference guide declares them;
// its header is a package of its own that few have.
using Status = int;
constexpr Status kSuccess = 0;
constexpr Status kInsufficientSize = 7;
constexpr unsigned long long kNotAvailable = ~0ULL;

struct DeviceHandle;
struct MemoryInfo {
  unsigned long long total, free, used;
};
struct ProcessInfo {
  unsigned pid;
  unsigned long long used_bytes;
  unsigned gpu_instance, compute_instance;
};

}  // namespace

struct Nvml::Library {
  Status (*init)();
  Status (*shutdown)();
  Status (*driver_version)(char*, unsigned);
  Status (*device)(const char*, DeviceHandle**);
  Status (*memory)(DeviceHandle*, MemoryInfo*);
  Status (*processes)(DeviceHandle*, unsigned*, ProcessInfo*);

  bool Find(void* handle) {
    const auto find = [handle](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
      return function != nullptr;
    };
    return find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
           find(driver_version, "nvmlSystemGetDriverVersion") &&
           find(device, "nvmlDeviceGetHandleByPciBusId_v2") &&
           find(memory, "nvmlDeviceGetMemoryInfo") &&
           find(processes, "nvmlDeviceGetComputeRunningProcesses_v3");
  }
  DeviceHandle* Device(const std::string& bus_id) const {
    DeviceHandle* found = nullptr;
    return device(bus_id.c_str(), &found) == kSuccess ? found : nullptr;
  }
};

Nvml::Nvml(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed, as the driver's
  if (!handle) return;
  auto found = std::make_unique<Library>();
  if (found->Find(handle) && found->init() == kSuccess) library_ = std::move(found);
}

Nvml::~Nvml() {
  if (library_) library_->shutdown();
}

std::optional<std::string> Nvml::driver_version() const {
  std::array<char, 96> text{};
  if (!library_ || library_->driver_version(text.data(), text.size()) != kSuccess) return {};
  return std::string(text.data());
}

std::optional<Nvml::Memory> Nvml::MemoryOf(const std::string& bus_id) const {
  DeviceHandle* const device = library_ ? library_->Device(bus_id) : nullptr;
  MemoryInfo info{};
  if (!device || library_->memory(device, &info) != kSuccess) return {};
  return Memory{info.total, info.free, info.used};
}

std::optional<std::size_t> Nvml::ProcessBytes(const std::string& bus_id, unsigned pid) const {
  DeviceHandle* const device = library_ ? library_->Device(bus_id) : nullptr;
  if (!device) return {};
  std::vector<ProcessInfo> all(16);
  auto count = static_cast<unsigned>(all.size());
  Status status = library_->processes(device, &count, all.data());
  while (status == kInsufficientSize) {  // processes come and go
    all.resize(count + 16);
    count = static_cast<unsigned>(all.size());
    status = library_->processes(device, &count, all.data());
  }
  if (status != kSuccess) return {};
  for (unsigned i = 0; i < count; ++i) {
    if (all[i].pid == pid && all[i].used_bytes != kNotAvailable) return all[i].used_bytes;
  }
  return {};
}

}  // namespace weir
