// The first use of LibTorch's kernels on a device, on a few kilobytes.
//
// cuBLAS and cuDNN are loaded when they are first called: that takes hundreds of megabytes of a
// large card, some of the host, and fails where their versions do not fit each other or they have
// nothing for the card. All of that is to be known before a job counts on the device.
//
// In the thread and on the stream that the work will have. Throws LibTorch's errors.
#pragma once

#include <c10/core/Device.h>

namespace weir {

// A convolution as the first of a network, one of a kernel for each channel with its gradients, a
// matrix product, and a batch norm with its gradients; their results are dropped.
void WarmUpTorch(c10::Device device);

}  // namespace weir
