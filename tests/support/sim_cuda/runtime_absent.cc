// Functions of the runtime that LibTorch's libraries are linked to, and that nothing of weir's
// makes them call: memory pools of CUDA's own, graphs, memory shared between processes, peers. Each
// says that it is not supported.
#include <driver_types.h>

#define WEIR_SIM_ABSENT(function) \
  extern "C" cudaError_t function() { return cudaErrorNotSupported; }

WEIR_SIM_ABSENT(cudaDeviceEnablePeerAccess)
WEIR_SIM_ABSENT(cudaDeviceGetDefaultMemPool)
WEIR_SIM_ABSENT(cudaDeviceGetGraphMemAttribute)
WEIR_SIM_ABSENT(cudaDeviceSetGraphMemAttribute)
WEIR_SIM_ABSENT(cudaEventElapsedTime)
WEIR_SIM_ABSENT(cudaFreeAsync)
WEIR_SIM_ABSENT(cudaGraphNodeGetDependencies)
WEIR_SIM_ABSENT(cudaIpcCloseMemHandle)
WEIR_SIM_ABSENT(cudaIpcGetMemHandle)
WEIR_SIM_ABSENT(cudaIpcOpenMemHandle)
WEIR_SIM_ABSENT(cudaMallocAsync)
WEIR_SIM_ABSENT(cudaMemPoolGetAttribute)
WEIR_SIM_ABSENT(cudaMemPoolSetAccess)
WEIR_SIM_ABSENT(cudaMemPoolSetAttribute)
WEIR_SIM_ABSENT(cudaMemPoolTrimTo)
