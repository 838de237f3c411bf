#include <cstdlib>

#include "tests/stages/device/cuda/cuda_gpu.h"

namespace weir {

// Beside the program, or where a machine that it was brought to has it (check.sh).
DeviceSearch BuiltDeviceSide() {
  const char* other = std::getenv("WEIR_CUDA_FOLDER");
  return {.has_driver = [] { return true; },
          .folders = {other != nullptr ? other : WEIR_CUDA_FOLDER}};
}

}  // namespace weir
