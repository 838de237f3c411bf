// The constants of operations as TensorFlow Lite has them: kernels with the channels last.
//
// Pure functions; any thread. What they give holds a kernel twice while it is turned.
#pragma once

#include <array>

#include "framework/shape.h"
#include "stages/model/export/formats/encoded_constants.h"
#include "stages/model/export/inference/inference_operation.h"

namespace weir {

// How many bytes more than of red are taken off each channel of a picture.
using PictureOffsets = std::array<int, 3>;

// Whether each group reads one channel: a DEPTHWISE_CONV_2D.
bool IsDepthwise(const inference::Operation& operation);

// The shape of a convolution's kernel: [out, k, k, in / groups], depthwise [1, k, k, out].
Shape KernelShape(const inference::Operation& operation);
// The axis of the outputs in it.
int KernelAxis(const inference::Operation& operation);

// A kernel in that shape and a bias, which is 0 where the convolution has none.
ConstantEncoder KernelEncoder(const inference::Operation& operation);

// The same in int8, as EncodeInt8 has them. `offsets` are what the bytes that it reads have too
// much, where the runtime takes the same off all channels: the bias makes up for it.
ConstantEncoder Int8KernelEncoder(const inference::Operation& operation, float from,
                                  const PictureOffsets& offsets);

// What each channel of a batch norm is multiplied with, and what is added then.
ConstantEncoder BatchNormEncoder(float epsilon);

}  // namespace weir
