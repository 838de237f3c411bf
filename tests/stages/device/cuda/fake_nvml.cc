// The driver's management library with one GPU, GPU-c0 at 0000:01:00.0 of 1000 bytes, and a slice
// of it, MIG-51 of 140 bytes. On either are 40 processes, from 100 on, that hold as many bytes as
// their number; of process 139 it does not tell.
#include <cstring>

#include "stages/device/cuda/nvml_interface.h"

namespace nvml = weir::nvml;

namespace {

int card = 0;
int slice = 0;

}  // namespace

extern "C" {

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }

int nvmlSystemGetDriverVersion(char* text, unsigned length) {
  std::strncpy(text, "580.65.06", length);
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, nvml::Device** device) {
  if (std::strcmp(bus_id, "0000:01:00.0") != 0) return nvml::kNotFound;
  *device = reinterpret_cast<nvml::Device*>(&card);
  return 0;
}

int nvmlDeviceGetHandleByUUID(const char* uuid, nvml::Device** device) {
  const bool is_card = std::strcmp(uuid, "GPU-c0") == 0;
  if (!is_card && std::strcmp(uuid, "MIG-51") != 0) return nvml::kNotFound;
  *device = reinterpret_cast<nvml::Device*>(is_card ? &card : &slice);
  return 0;
}

int nvmlDeviceGetMemoryInfo(nvml::Device* device, nvml::Memory* memory) {
  if (device == reinterpret_cast<nvml::Device*>(&card)) {
    *memory = {1000, 300, 700};
  } else {
    *memory = {140, 40, 100};
  }
  return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(nvml::Device*, unsigned* count,
                                            nvml::Process* processes) {
  const unsigned room = *count;
  *count = 40;
  if (room < 40) return nvml::kInsufficientSize;
  for (unsigned i = 0; i < 40; ++i) processes[i] = {100 + i, 100 + i, 0, 0};
  processes[39].used_bytes = nvml::kNotAvailable;
  return 0;
}
}
