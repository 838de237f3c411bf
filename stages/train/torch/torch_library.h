// What of weir computes with LibTorch: a shared object of its own, libweir_torch.so, which is
// opened where something learns.
//
// LibTorch takes a tenth of a second and tens of megabytes as it is loaded, which what does not
// learn goes without. The library stays open to the end of the process; what it takes then is held
// like any other memory, so a job that learns opens it before it measures what it has.
//
// It is linked to the same objects as the program, whose names come first: what both have, each
// static variable too, is the program's (pipelines/exported_names.txt). So all headers are its
// interface, and it has to be of the same build, which is checked.
//
// Any thread.
#pragma once

#include <memory>

namespace weir {

struct GlooOptions;
class RankGroup;
class StageLearner;
struct TrainerSetup;

// What it exports under kTorchLibrarySymbol: extern "C", one of these.
struct TorchLibrary {
  const char* build;  // WEIR_TORCH_BUILD, as it was when the library was compiled
  // As Trainer's constructor (stages/train/trainer.h).
  std::shared_ptr<StageLearner> (*make_trainer)(TrainerSetup setup);
  // As JoinByGloo (stages/ranks/gloo_group.h).
  std::shared_ptr<RankGroup> (*join_by_gloo)(const GlooOptions& options);
  // Gives the memory that LibTorch holds free back to the system.
  void (*trim)();
};
inline constexpr const char* kTorchLibrarySymbol = "weir_torch_library";

// Opens the library at the first call. Throws Error(kConfig) where it is not there, cannot be
// loaded, or is of another build, and Error(kMemory) where there is no memory for it.
const TorchLibrary& OpenTorchLibrary();

// As long as it has not been opened there is nothing to give back, and it is left so.
void TrimTorchMemory();

}  // namespace weir
