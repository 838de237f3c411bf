// The constants of an operation as the tensors of an ONNX file: as they are, or in 8 bits.
//
// Pure functions; any thread.
#pragma once

#include "stages/model/export/formats/onnx_nodes.h"

namespace weir {

// In float32, as they are.
EncodedConstants EncodeFloats(const ConstantValues& constants);

// What a convolution in int8 takes whose input has the scale `from`: the kernel in int8, its
// scales, the bias in int32 and the scales of that. A runtime adds the bias to sums of bytes, so 1
// of it stands for what 1 of such a sum does; where it would not fit, as behind a kernel that is
// all but 0, both get a larger scale, which moves the kernel by less than 2^-30 of the bias.
EncodedConstants EncodeInt8(const ConstantValues& constants, float from);

}  // namespace weir
