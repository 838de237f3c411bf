#include "stages/device/cuda/cuda_error.h"

#include "framework/error.h"

namespace weir {

void Check(cudaError_t status, const char* cannot) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // it is told once
  throw Error(ErrorKind::kInternal,
              std::string("the GPU cannot ") + cannot + ": " + cudaGetErrorString(status) + " (" +
                  cudaGetErrorName(status) + ")",
              "Run on the processor with prefetch: {device: cpu}.");
}

bool IsWantOfMemory(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         text.find("out of memory") != std::string::npos ||
         text.find("STATUS_ALLOC_FAILED") != std::string::npos;
}

void CallTorch(DeviceLedger& ledger, const std::string& holder, const std::function<void()>& call) {
  try {
    call();
  } catch (const c10::Error& error) {
    if (IsWantOfMemory(error)) ledger.Refuse(holder);
    const std::string text = error.what_without_backtrace();
    throw Error(ErrorKind::kInternal, "LibTorch on the GPU: " + text.substr(0, text.find('\n')),
                "Run on the processor with prefetch: {device: cpu}.");
  }
}

Event MakeEvent() {
  cudaEvent_t event = nullptr;
  Check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync),
        "make an event");
  return Event(event);
}

}  // namespace weir
