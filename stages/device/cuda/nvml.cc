#include "stages/device/cuda/nvml.h"

#include <dlfcn.h>

#include <array>
#include <utility>
#include <vector>

#include "stages/device/cuda/nvml_interface.h"

namespace weir {

using nvml::Status;

namespace {

// A card keeps some of its memory for itself, of small ones up to a twelfth; a slice of several
// has at most half of its card's.
bool IsAbout(std::size_t card_bytes, std::size_t bytes) {
  return bytes <= card_bytes && bytes >= card_bytes - card_bytes / 8;
}

}  // namespace

struct Nvml::Library {
  Status (*init)();
  Status (*shutdown)();
  Status (*driver_version)(char*, unsigned);
  Status (*device_of_uuid)(const char*, nvml::Device**);
  Status (*device_of_bus)(const char*, nvml::Device**);
  Status (*memory)(nvml::Device*, nvml::Memory*);
  Status (*processes)(nvml::Device*, unsigned*, nvml::Process*);

  bool Find(void* handle) {
    const auto find = [handle](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
      return function != nullptr;
    };
    return find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
           find(driver_version, "nvmlSystemGetDriverVersion") &&
           find(device_of_uuid, "nvmlDeviceGetHandleByUUID") &&
           find(device_of_bus, "nvmlDeviceGetHandleByPciBusId_v2") &&
           find(memory, "nvmlDeviceGetMemoryInfo") &&
           find(processes, "nvmlDeviceGetComputeRunningProcesses_v3");
  }

  // Its handle, and what it has and holds. A slice's name begins otherwise than a card's.
  std::optional<std::pair<nvml::Device*, nvml::Memory>> Find(const GpuAddress& gpu) const {
    nvml::Device* found = nullptr;
    nvml::Memory info{};
    const auto is_it = [&](auto function, const std::string& name) {
      return function(name.c_str(), &found) == nvml::kSuccess &&
             memory(found, &info) == nvml::kSuccess && IsAbout(info.total, gpu.total_bytes);
    };
    if (is_it(device_of_uuid, "MIG-" + gpu.uuid) || is_it(device_of_uuid, "GPU-" + gpu.uuid) ||
        is_it(device_of_bus, gpu.bus_id)) {
      return std::pair(found, info);
    }
    return std::nullopt;
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

std::optional<Nvml::Memory> Nvml::MemoryOf(const GpuAddress& gpu) const {
  const auto found = library_ ? library_->Find(gpu) : std::nullopt;
  if (!found) return {};
  const nvml::Memory& info = found->second;
  return Memory{info.total, info.free, info.used};
}

std::optional<std::size_t> Nvml::ProcessBytes(const GpuAddress& gpu, unsigned pid) const {
  const auto found = library_ ? library_->Find(gpu) : std::nullopt;
  if (!found) return {};
  nvml::Device* const device = found->first;
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
