// The gradient of a depthwise convolution's kernel over maps [n, h, w, C] in float32 on the host.
//
// LibTorch's oneDNN does it as well, but for maps of a few pixels takes a general convolution, with
// 256 times the memory of the kernel. Each channel is added up row by row in the order of its
// pixels: the bits depend on the maps and the processor. Any thread; takes a line of zeros, 64
// bytes.
#pragma once

#include "stages/kernels/depthwise_maps.h"

namespace weir {

// Writes the gradient of a 3x3 kernel to `of_kernel`, [C, 1, 3, 3]. `gradient` is that of the
// output, [n, out_height, out_width, C], `input` is [n, in_height, in_width, C], both without gaps;
// C is a multiple of 8.
void DepthwiseKernelGradient(const DepthwiseMaps& maps, const float* gradient, const float* input,
                             float* of_kernel);

}  // namespace weir
