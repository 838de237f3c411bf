// How LibTorch computes on GPUs: settings of the whole process, which its operators read as they
// are called. They are changed by the thread that calls these operators, and no other.
#pragma once

namespace weir {

// float32 is float32 (no TF32), and cuDNN is not used, so that its engines are never loaded and no
// layer hangs on what it has for the card. Before LibTorch is used on a device.
void UseExactTorchArithmetic();

// Whether cuBLAS may round what it multiplies in float32 to TF32's 10 bits, and add up in float32;
// from the next product on.
void AllowTf32Products(bool allowed);

}  // namespace weir
