// The first use of LibTorch's kernels and of weir's own on a device, on a few kilobytes.
//
// cuBLAS is loaded when it is first called: that takes hundreds of megabytes of a large card, some
// of the host, and fails where its version does not fit LibTorch's or it has nothing for the card.
// All of that is to be known before a job counts on the device.
//
// In the thread and on the stream that the work will have. Throws LibTorch's errors.
#pragma once

#include <c10/core/Device.h>

#include "stages/device/depthwise_kernels.h"

namespace weir {

// A convolution as the first of a network, depthwise ones with their gradients, a matrix product,
// and a batch norm with its gradients; their results are dropped.
void WarmUp(c10::Device device, const DepthwiseKernels& depthwise);

}  // namespace weir
