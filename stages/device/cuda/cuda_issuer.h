// How work for a GPU gets there: by the device's one issuing thread, on one stream, LibTorch's
// errors as weir's.
//
// Any number of threads may call any member, but not from within the work. Holds a stream of
// LibTorch's pool; cuBLAS's workspace on it is LibTorch's and counted there.
#pragma once

#include <c10/cuda/CUDAStream.h>

#include <functional>
#include <string>

#include "stages/device/cuda/device_ledger.h"
#include "stages/device/cuda/issuing_thread.h"

namespace weir {

class CudaIssuer {
 public:
  // LibTorch has been started on `device`. `ledger` and `thread` outlive this.
  CudaIssuer(int device, DeviceLedger& ledger, IssuingThread& thread, bool is_urgent);

  const c10::cuda::CUDAStream& stream() const { return stream_; }

  // Device::Issue and Device::Fits.
  void Issue(const std::string& what, const std::function<void()>& work);
  bool Fits(const std::function<void()>& work);

 private:
  DeviceLedger& ledger_;
  IssuingThread& thread_;
  const c10::cuda::CUDAStream stream_;
};

}  // namespace weir
