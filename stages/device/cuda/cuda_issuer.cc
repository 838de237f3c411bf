#include "stages/device/cuda/cuda_issuer.h"

#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <atomic>

#include "stages/device/cuda/cuda_error.h"
#include "stages/device/cuda/torch_arithmetic.h"

namespace weir {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// The next of the pools that LibTorch calls made by a user. No other code of this process makes
// any.
c10::MempoolId_t NextPool() {
  static std::atomic<c10::CaptureId_t> last{0};
  return {0, ++last};
}

}  // namespace

CudaIssuer::CudaIssuer(int device, DeviceLedger& ledger, IssuingThread& thread, bool is_urgent,
                       bool allows_tf32)
    : ledger_(ledger),
      thread_(thread),
      stream_(c10::cuda::getStreamFromPool(is_urgent, static_cast<c10::DeviceIndex>(device))),
      allows_tf32_(allows_tf32) {
  BeginPool();
}

CudaIssuer::~CudaIssuer() {
  try {
    EndPool();
  } catch (const c10::Error&) {
    cudaGetLastError();  // it is told once; a card that fails here has failed what used it
  }
}

void CudaIssuer::BeginPool() {
  pool_ = NextPool();
  allocator::get()->beginAllocateToPool(
      stream_.device_index(), pool_,
      [stream = stream_.stream()](cudaStream_t other) { return other == stream; });
}

void CudaIssuer::EndPool() {
  allocator::get()->endAllocateToPool(stream_.device_index(), pool_);
  allocator::get()->releasePool(stream_.device_index(), pool_);
  const c10::cuda::CUDAGuard on_device(stream_.device_index());
  allocator::emptyCache(pool_);
}

// LibTorch gives back nothing of a pool that is in use.
void CudaIssuer::ChangePool() {
  EndPool();
  BeginPool();
}

void CudaIssuer::Issue(const std::string& what, const std::function<void()>& work) {
  thread_.Run([&] {
    Run(what, work);
    ledger_.SettleInTurn();
  });
}

void CudaIssuer::Run(const std::string& what, const std::function<void()>& work) {
  CallTorch(ledger_, what, [&] {
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    const c10::InferenceMode no_gradients;
    AllowTf32Products(allows_tf32_);
    work();
  });
}

bool CudaIssuer::Fits(const std::function<void()>& work) {
  bool fits = false;
  thread_.Run([&] { Run("the GPU", [&] { fits = Try(work); }); });
  return fits;
}

bool CudaIssuer::Try(const std::function<void()>& work) {
  try {
    work();
    stream_.synchronize();
    if (ledger_.Settle()) return true;
  } catch (const c10::Error& error) {
    cudaGetLastError();  // it is told once
    stream_.synchronize();
    if (!IsWantOfMemory(error)) throw;
  }
  ChangePool();
  return false;
}

void CudaIssuer::GiveBack() {
  thread_.Run([this] {
    Run("the GPU", [this] {
      stream_.synchronize();
      ChangePool();
    });
  });
}

}  // namespace weir
