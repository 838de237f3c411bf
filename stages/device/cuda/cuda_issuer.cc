#include "stages/device/cuda/cuda_issuer.h"

#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include "stages/device/cuda/cuda_error.h"

namespace weir {

CudaIssuer::CudaIssuer(int device, DeviceLedger& ledger, IssuingThread& thread, bool is_urgent)
    : ledger_(ledger),
      thread_(thread),
      stream_(c10::cuda::getStreamFromPool(is_urgent, static_cast<c10::DeviceIndex>(device))) {}

void CudaIssuer::Issue(const std::string& what, const std::function<void()>& work) {
  thread_.Run([&] {
    CallTorch(ledger_, what, [&] {
      const c10::cuda::CUDAStreamGuard on_stream(stream_);
      const c10::InferenceMode no_gradients;
      work();
    });
  });
}

bool CudaIssuer::Fits(const std::function<void()>& work) {
  bool fits = false;
  Issue("the GPU", [&] {
    try {
      work();
      stream_.synchronize();
      fits = ledger_.Settle();
    } catch (const c10::Error& error) {
      if (!IsWantOfMemory(error)) throw;
      cudaGetLastError();  // it is told once
      stream_.synchronize();
    }
    if (!fits) c10::cuda::CUDACachingAllocator::emptyCache();
  });
  return fits;
}

}  // namespace weir
