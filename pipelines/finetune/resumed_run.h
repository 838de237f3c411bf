// What a run that goes on finds in its folder, before anything of it is made again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/job/run_options.h"
#include "pipelines/recipe/recipe.h"
#include "pipelines/record/run_folder.h"
#include "pipelines/record/tally.h"

namespace weir {

// The folder of a run that goes on; empty for a new one. Throws Error(kData) where there is none of
// that name.
std::filesystem::path ResumedFolder(const RunOptions& options, const std::string& name);

// What the checkpoint of an earlier sitting remembers; nothing where there is no checkpoint. Throws
// Error(kData) where it is damaged.
std::optional<Tally> ReadTally(const RunFolder& folder);

// Throws Error(kConfig) where the phase that the checkpoint is in is not there any more.
void CheckPhase(const std::vector<Recipe>& phases, const PhasePosition& at);

// Whether "training.phases.0.epochs" is of a phase before that one.
bool IsOfPhaseBefore(std::string_view key, int phase);

}  // namespace weir
