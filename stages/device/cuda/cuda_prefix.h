// The frozen prefix on a GPU.
//
// Any number of threads may Run one; the work of all is queued by the device's issuing thread on
// one stream, which goes before what learns there, and two batches at a time, so that the second's
// kernels follow the first's while its features are fetched. A caller waits for its own features
// alone.
//
// A micro-batch is as large as fits what the ledger leaves, found by trying, and smaller where what
// is made later finds no room. One that is not full is run as if it were, so that the kernels are
// the same for every batch.
//
// What holds of the bits: the same batch has the same features in every run, as long as the card,
// the build and the micro-batch (so memory.device) are the same. Whether a sample's also stay the
// same at another place in the micro-batch is up to cuBLAS, which does not say; preprocessing,
// depthwise layers and pooling are weir's own, and do not depend on it.
//
// Memory: on the device the weights, one micro-batch's widest activations, two batches of features
// and those that stay there (feature_slots.h), all LibTorch's; on the host, while it is made, a
// layer of the weights.
#pragma once

#include <functional>
#include <memory>

#include "stages/device/cuda/device_ledger.h"
#include "stages/device/cuda/issuing_thread.h"
#include "stages/device/depthwise_kernels.h"
#include "stages/device/prefix_runner.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"

namespace weir {

class CudaPrefix : public PrefixRunner {
 public:
  // Lets no features stay, and then halves the micro-batch: gives back what that frees, before the
  // first Run. False where nothing is left of it to halve.
  virtual bool Halve() = 0;
};

// As Device::MakePrefix says. LibTorch has been started on `device`; `ledger`, `thread` and
// `depthwise` outlive the prefix.
std::shared_ptr<CudaPrefix> MakeCudaPrefix(int device, DeviceLedger& ledger, IssuingThread& thread,
                                           const Model& model,
                                           const std::function<LayerReader(const Model&)>& open,
                                           Precision precision, int batch_size,
                                           const DepthwiseKernels& depthwise, int staying);

}  // namespace weir
