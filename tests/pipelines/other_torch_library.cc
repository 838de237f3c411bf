// A libweir_torch.so of another build of weir, as far as it is read.
#include "stages/train/torch/torch_library.h"

extern "C" const weir::TorchLibrary weir_torch_library;
extern "C" const weir::TorchLibrary weir_torch_library = {
    .build = "another", .make_trainer = nullptr, .join_by_gloo = nullptr, .trim = nullptr};
