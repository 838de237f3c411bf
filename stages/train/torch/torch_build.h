// What the program and libweir_torch.so must have in common (torch_library.h). The text is that of
// whoever includes this.
#pragma once

#include "stages/train/torch/headers_hash.h"  // made by the build: WEIR_HEADERS_HASH

#define WEIR_TORCH_BUILD "headers " WEIR_HEADERS_HASH ", compiler " __VERSION__
