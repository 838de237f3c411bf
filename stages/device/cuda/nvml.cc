#include "stages/device/cuda/nvml.h"

#include <dlfcn.h>

#include <array>
#include <vector>

#include "stages/device/cuda/nvml_interface.h"

namespace weir {

using nvml::Status;

struct Nvml::Library {
  Status (*init)();
  Status (*shutdown)();
  Status (*driver_version)(char*, unsigned);
  Status (*device)(const char*, nvml::Device**);
  Status (*memory)(nvml::Device*, nvml::Memory*);
  Status (*processes)(nvml::Device*, unsigned*, nvml::Process*);

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
  nvml::Device* Device(const std::string& bus_id) const {
    nvml::Device* found = nullptr;
    return device(bus_id.c_str(), &found) == nvml::kSuccess ? found : nullptr;
  }
};

Nvml::Nvml(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed, as the driver's
  if (!handle) return;
  auto found = std::make_unique<Library>();
  if (found->Find(handle) && found->init() == nvml::kSuccess) library_ = std::move(found);
}

Nvml::~Nvml() {
  if (library_) library_->shutdown();
}

std::optional<std::string> Nvml::driver_version() const {
  std::array<char, 96> text{};
  if (!library_ || library_->driver_version(text.data(), text.size()) != nvml::kSuccess) return {};
  return std::string(text.data());
}

std::optional<Nvml::Memory> Nvml::MemoryOf(const std::string& bus_id) const {
  nvml::Device* const device = library_ ? library_->Device(bus_id) : nullptr;
  nvml::Memory info{};
  if (!device || library_->memory(device, &info) != nvml::kSuccess) return {};
  return Memory{info.total, info.free, info.used};
}

std::optional<std::size_t> Nvml::ProcessBytes(const std::string& bus_id, unsigned pid) const {
  nvml::Device* const device = library_ ? library_->Device(bus_id) : nullptr;
  if (!device) return {};
  std::vector<nvml::Process> all(16);
  auto count = static_cast<unsigned>(all.size());
  Status status = library_->processes(device, &count, all.data());
  while (status == nvml::kInsufficientSize) {  // processes come and go
    all.resize(count + 16);
    count = static_cast<unsigned>(all.size());
    status = library_->processes(device, &count, all.data());
  }
  if (status != nvml::kSuccess) return {};
  for (unsigned i = 0; i < count; ++i) {
    if (all[i].pid == pid && all[i].used_bytes != nvml::kNotAvailable) return all[i].used_bytes;
  }
  return {};
}

}  // namespace weir
