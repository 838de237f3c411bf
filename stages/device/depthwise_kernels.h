// A device's own 3x3 depthwise convolutions, for the frozen prefix and for the layers that learn.
//
// LibTorch hands depthwise layers in channels last to cuDNN, which is slow at them in float32 and
// has no engine for them on some cards. The depthwise layers of every backbone that weir has, which
// is MobileNetV2 alone, are 3x3 with a stride of 1 or 2, and these are what is here.
//
// Every member queues its work on LibTorch's current stream of the device, so it is called in the
// thread that issues the device's work (Device::Issue). Maps are [n, h, w, C], kernels
// [C, 1, 3, 3], both contiguous and on the device. What is given back is new, from LibTorch's
// allocator there. Throws c10::Error where that refuses, and Error(kInternal) with CUDA's words.
//
// A value of Forward or InputGradient depends on its own sample alone, bit for bit. KernelGradient
// adds up in an order that follows from the shapes, without atomic operations.
#pragma once

#include <optional>

#include "stages/kernels/depthwise_maps.h"
#include "stages/model/backbones/network.h"

namespace at {
class Tensor;
}

namespace weir {

class DepthwiseKernels {
 public:
  virtual ~DepthwiseKernels() = default;

  // Whether `layer` is of the kind above.
  static bool Know(const NetworkLayer& layer) {
    return layer.kind == NetworkLayer::Kind::kConv && layer.is_depthwise() && layer.kernel == 3 &&
           (layer.stride == 1 || layer.stride == 2) && layer.dilation == 1;
  }

  // [n, out_height, out_width, C] in float32 or bfloat16, which `kernel` and `bias`, [C], have too;
  // an undefined `bias` is 0. Sums are float32; with a `ceiling` (6: ReLU6; infinity: ReLU) the
  // result is held between 0 and that.
  virtual at::Tensor Forward(const DepthwiseMaps& maps, const at::Tensor& input,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             std::optional<float> ceiling) const = 0;

  // [n, in_height, in_width, C] from that of the output, in float32.
  virtual at::Tensor InputGradient(const DepthwiseMaps& maps, const at::Tensor& gradient,
                                   const at::Tensor& kernel) const = 0;

  // [C, 1, 3, 3] from that of the output and the input, in float32. Takes 10 MB at most in passing.
  virtual at::Tensor KernelGradient(const DepthwiseMaps& maps, const at::Tensor& gradient,
                                    const at::Tensor& input) const = 0;
};

}  // namespace weir
