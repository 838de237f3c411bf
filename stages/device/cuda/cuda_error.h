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
// what cuBLAS, cuDNN and the driver say when they get none. cuDNN's front says that it finds no
// engine, then; it says the same of a layer that it has none for on this card, which no memory
// mends. Only where something was refused memory, or such work was done before, is that taken for
// the want of it: `may_be_engine`.
bool IsWantOfMemory(const c10::Error& error, bool may_be_engine);

// Whether cuDNN has nothing that does a layer's work on this card, or had no memory for it.
bool IsWantOfEngine(const c10::Error& error);

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
