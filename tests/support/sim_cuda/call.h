// What every simulated function of the runtime does first and last. Any thread.
#pragma once

#include <cuda_runtime_api.h>

namespace weir::sim {

// Counts a call. Gives the error that a test wants it to fail with, else success:
//
//   if (const cudaError_t error = Begin(__func__)) return error;
cudaError_t Begin(const char* function);

// Remembers an error for cudaGetLastError of the calling thread, and gives it back.
cudaError_t End(cudaError_t error);

// The last error of the calling thread; `forget` as cudaGetLastError does.
cudaError_t LastError(bool forget);

}  // namespace weir::sim
