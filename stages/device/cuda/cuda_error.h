// What the CUDA runtime and LibTorch complain of, as weir's Error.
#pragma once

#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <string>

#include "stages/device/cuda/device_ledger.h"

namespace weir {

// Throws Error(kInternal) with CUDA's words where `status` is not success: "the GPU cannot ...".
void Check(cudaError_t status, const char* cannot);

// Whether an error of LibTorch comes of too little memory: its allocator's OutOfMemoryError, or
// what cuBLAS and the driver say when they get none.
bool IsWantOfMemory(const c10::Error& error);

// Runs `call`; LibTorch's want of memory becomes the ledger's refusal ("features: ..."), any other
// of its errors an Error(kInternal).
void CallTorch(DeviceLedger& ledger, const std::string& holder, const std::function<void()>& call);

struct EventEnd {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
// Without a time stamp; whoever waits for it sleeps.
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, EventEnd>;
Event MakeEvent();

}  // namespace weir
