#include "tests/stages/device/cuda/cuda_gpu.h"

namespace weir {

DeviceSearch BuiltDeviceSide() {
  return {.has_driver = [] { return true; }, .folders = {WEIR_CUDA_FOLDER}};
}

}  // namespace weir
