// NVIDIA's management library over the simulated cards, as Temper() has it. Beside what weir asks
// there is what LibTorch asks when memory runs out; it is told nothing.
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "stages/device/cuda/nvml_interface.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace nvml = weir::nvml;
namespace sim = weir::sim;

namespace {

constexpr nvml::Status kNotSupported = 3;
constexpr nvml::Status kNoPermission = 4;

std::atomic<sim::NvmlTemper> temper{sim::NvmlTemper::kTells};

// A handle is the card's number, from 1 on, in the place of an address; its slice's is larger by
// the number of cards.
int CardOf(nvml::Device* device) {
  return static_cast<int>((reinterpret_cast<std::uintptr_t>(device) - 1) % sim::kCards);
}

// What is asked of is the card that the GPU is a slice of.
bool IsWholeCard(nvml::Device* device) {
  const bool has_slices = sim::Temper() == sim::NvmlTemper::kKnowsSlices ||
                          sim::Temper() == sim::NvmlTemper::kKnowsTheCard;
  return has_slices && reinterpret_cast<std::uintptr_t>(device) <= sim::kCards;
}

unsigned long long OwnBytes(int card) {
  switch (sim::Temper()) {
    case sim::NvmlTemper::kTells:
    case sim::NvmlTemper::kKnowsSlices:
    case sim::NvmlTemper::kKnowsTheCard:
      return sim::HeldBytes(card);
    case sim::NvmlTemper::kListsNothing:
      return 0;
    default:
      return nvml::kNotAvailable;
  }
}

}  // namespace

namespace weir::sim {

NvmlTemper Temper() { return temper; }
void SetTemper(NvmlTemper wanted) { temper = wanted; }

}  // namespace weir::sim

extern "C" {

int nvmlInit_v2() { return nvml::kSuccess; }
int nvmlShutdown() { return nvml::kSuccess; }

int nvmlSystemGetDriverVersion(char* text, unsigned length) {
  std::snprintf(text, length, "580.65.06");
  return nvml::kSuccess;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, nvml::Device** device) {
  unsigned bus = 0;  // the domain has four digits or, where LibTorch asks, eight
  if (std::sscanf(bus_id, "%*x:%x:", &bus) != 1 || bus < 1 || bus > sim::kCards) {
    return nvml::kNotFound;
  }
  *device = reinterpret_cast<nvml::Device*>(static_cast<std::uintptr_t>(bus));
  return nvml::kSuccess;
}

int nvmlDeviceGetHandleByUUID(const char* uuid, nvml::Device** device) {
  const bool is_slice = sim::Temper() == sim::NvmlTemper::kKnowsSlices;
  unsigned card = 0;  // its first byte
  if (std::strncmp(uuid, is_slice ? "MIG-" : "GPU-", 4) != 0 ||
      sim::Temper() == sim::NvmlTemper::kKnowsTheCard || std::sscanf(uuid + 4, "%2x", &card) != 1 ||
      card < 1 || card > sim::kCards) {
    return nvml::kNotFound;
  }
  *device = reinterpret_cast<nvml::Device*>(std::uintptr_t{card} + (is_slice ? sim::kCards : 0));
  return nvml::kSuccess;
}

int nvmlDeviceGetMemoryInfo(nvml::Device* device, nvml::Memory* memory) {
  if (sim::Temper() == sim::NvmlTemper::kRefuses) return kNoPermission;
  const int card = CardOf(device);
  const std::size_t used = sim::HeldBytes(card) + sim::OthersBytes(card);
  const std::size_t total = IsWholeCard(device) ? 7 * sim::kCardBytes : sim::kCardBytes;
  *memory = {total, total - used, used};
  return nvml::kSuccess;
}

int nvmlDeviceGetComputeRunningProcesses_v3(nvml::Device* device, unsigned* count,
                                            nvml::Process* processes) {
  if (sim::Temper() == sim::NvmlTemper::kRefuses) return kNoPermission;
  const int card = CardOf(device);
  const bool is_listed = sim::HasContext(card) && sim::Temper() != sim::NvmlTemper::kDoesNotList;
  const unsigned room = *count;
  *count = is_listed ? 2 : 1;
  if (room < *count) return nvml::kInsufficientSize;
  processes[0] = {1, sim::OthersBytes(card), 0, 0};
  if (is_listed) processes[1] = {static_cast<unsigned>(getpid()), OwnBytes(card), 0, 0};
  return nvml::kSuccess;
}

int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 13000;
  return nvml::kSuccess;
}

int nvmlDeviceGetComputeRunningProcesses(nvml::Device*, unsigned* count, void*) {
  *count = 0;
  return nvml::kSuccess;
}

int nvmlDeviceGetNvLinkRemoteDeviceType() { return kNotSupported; }
int nvmlDeviceGetNvLinkRemotePciInfo_v2() { return kNotSupported; }
int nvmlDeviceGetGpuFabricInfoV() { return kNotSupported; }
}
