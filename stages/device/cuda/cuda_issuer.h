// How work for a GPU gets there: by the device's one issuing thread, on one stream, LibTorch's
// errors as weir's.
//
// What the work allocates comes from a pool of LibTorch's memory that is the issuer's alone. Where
// memory is short, LibTorch's allocator gives back to the driver what is free on every stream: of a
// pool, nothing while it lives. So what a rehearsal (Fits) has taken is there for each batch, and
// two issuers whose rehearsals fitted one after the other also fit side by side.
//
// Any number of threads may call any member, but not from within the work. Holds a stream of
// LibTorch's, and what the pool has taken; cuBLAS's workspace on the stream is LibTorch's and
// counted there.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/cuda/CUDAStream.h>

#include <functional>
#include <string>

#include "stages/device/cuda/device_ledger.h"
#include "stages/device/cuda/issuing_thread.h"

namespace weir {

class CudaIssuer {
 public:
  // LibTorch has been started on `device`. `ledger` and `thread` outlive this. Whether products in
  // float32 may be TF32's (torch_arithmetic.h) holds for this issuer's work alone.
  CudaIssuer(int device, DeviceLedger& ledger, IssuingThread& thread, bool is_urgent,
             bool allows_tf32 = false);
  ~CudaIssuer();  // gives back what is free of the pool; the rest, when it is free
  CudaIssuer(const CudaIssuer&) = delete;
  CudaIssuer& operator=(const CudaIssuer&) = delete;

  const c10::cuda::CUDAStream& stream() const { return stream_; }

  // Device::Issue, which has the ledger measure in its turn, and Device::Fits.
  void Issue(const std::string& what, const std::function<void()>& work);
  bool Fits(const std::function<void()>& work);

  // Gives what is free of the pool back to the card, once the stream's work has ended.
  void GiveBack();

 private:
  void Run(const std::string& what, const std::function<void()>& work);  // in the issuing thread
  bool Try(const std::function<void()>& work);                           // the same
  void BeginPool();
  void EndPool();
  void ChangePool();

  DeviceLedger& ledger_;
  IssuingThread& thread_;
  const c10::cuda::CUDAStream stream_;
  const bool allows_tf32_;
  c10::MempoolId_t pool_;
};

}  // namespace weir
