// The table that libweir_torch.so exports (stages/train/torch/torch_library.h).
#include <memory>
#include <utility>

#include "stages/ranks/gloo_group.h"
#include "stages/train/torch/torch_allocator.h"
#include "stages/train/torch/torch_build.h"
#include "stages/train/torch/torch_library.h"
#include "stages/train/trainer.h"

// NOLINTNEXTLINE(readability-identifier-naming): as kTorchLibrarySymbol has it
extern "C" const weir::TorchLibrary weir_torch_library;
extern "C" const weir::TorchLibrary weir_torch_library = {
    .build = WEIR_TORCH_BUILD,
    .make_trainer = [](weir::TrainerSetup setup) -> std::shared_ptr<weir::StageLearner> {
      return std::make_shared<weir::Trainer>(std::move(setup));
    },
    .join_by_gloo = &weir::JoinByGloo,
    .trim = [] { weir::TorchAllocator::Install().Trim(); }};
