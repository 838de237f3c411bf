#include "tests/stages/device/cuda/cuda_gpu.h"

namespace weir {

DeviceSearch BuiltDeviceSide() { return {{"/"}, {WEIR_CUDA_FOLDER}}; }

}  // namespace weir
