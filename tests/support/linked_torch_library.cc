// Stands in a test for stages/train/torch/torch_library.cc: what learns is linked to the test,
// which so looks at the same LibTorch, and the same memory of it, as the stage does.
#include "stages/train/torch/torch_library.h"

extern "C" const weir::TorchLibrary weir_torch_library;

namespace weir {

const TorchLibrary& OpenTorchLibrary() { return weir_torch_library; }

void TrimTorchMemory() { weir_torch_library.trim(); }

}  // namespace weir
