// The runtime's functions about cards, errors and versions.
#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdio>
#include <cstring>

#include "tests/support/sim_cuda/call.h"
#include "tests/support/sim_cuda/card.h"

namespace sim = weir::sim;

namespace {

constexpr int kVersion = 13000;  // CUDA 13.0

std::atomic<int> compute_capability{90};

bool IsCard(int device) { return device >= 0 && device < sim::kCards; }

// Stands for every function of the driver that LibTorch looks up: it calls none of them here.
int DriverFunction() { return 0; }

}  // namespace

namespace weir::sim {

void SetComputeCapability(int major, int minor) { compute_capability = 10 * major + minor; }

}  // namespace weir::sim

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  *count = sim::kCards;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = sim::CurrentCard();
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (!IsCard(device)) return sim::End(cudaErrorInvalidDevice);
  sim::Card& card = sim::CardOf(device);
  if (!card.has_context() && card.free_bytes() < sim::kContextBytes) {
    return sim::End(cudaErrorMemoryAllocation);
  }
  sim::SetCurrentCard(device);
  card.MakeContext();
  return cudaSuccess;
}

cudaError_t cudaInitDevice(int device, unsigned device_flags, unsigned flags) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (!IsCard(device)) return sim::End(cudaErrorInvalidDevice);
  sim::Card& card = sim::CardOf(device);
  if (!card.has_context() && card.free_bytes() < sim::kContextBytes) {
    return sim::End(cudaErrorMemoryAllocation);
  }
  card.MakeContext((flags & cudaInitDeviceFlagsAreValid) != 0 ? device_flags : 0);
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (!IsCard(device)) return sim::End(cudaErrorInvalidDevice);
  std::memset(properties, 0, sizeof *properties);
  std::snprintf(properties->name, sizeof properties->name, "simulated GPU");
  properties->totalGlobalMem = sim::kCardBytes;
  properties->major = compute_capability / 10;
  properties->minor = compute_capability % 10;
  properties->multiProcessorCount = 132;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsPerMultiProcessor = 2048;
  properties->pciBusID = device + 1;
  properties->uuid.bytes[0] = static_cast<char>(device + 1);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (!IsCard(device)) return sim::End(cudaErrorInvalidDevice);
  std::snprintf(text, length, "0000:%02d:00.0", device + 1);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  sim::CardOf(sim::CurrentCard()).MakeContext();
  sim::CardOf(sim::CurrentCard()).WaitForStreams();
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return sim::LastError(/*forget=*/true); }
cudaError_t cudaPeekAtLastError() { return sim::LastError(/*forget=*/false); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "unrecognized error code";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    default:
      return "unrecognized error code";
  }
}

cudaError_t cudaGetDriverEntryPointByVersion(const char*, void** function, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  *function = reinterpret_cast<void*>(&DriverFunction);
  if (result != nullptr) *result = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
}
