// The state of a training in one file, to go on from as if it had never stopped.
//
// safetensors: the parameters that learn and the running statistics under their names, what the
// optimizer keeps of each as "optimizer.<slot>.<name>", an average of them as "average.<name>", and
// in the metadata where training stands, what it trains, and what the command wants to remember.
// Written whole or not at all (atomic_file.h). Read, it is checked before anything is changed.
//
// Holds nothing but the table of tensors. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stages/learner.h"
#include "stages/model/model.h"
#include "stages/train/steps/parameter_table.h"

namespace weir {

// The arrays of a state, each in the layout of a table.
struct CheckpointArrays {
  struct Run {
    std::string prefix;  // how the names begin: "", "optimizer.momentum."
    const ParameterTable* table = nullptr;
    std::span<float> values;
  };
  std::vector<Run> runs;
};

// What must be the same for a state to fit and a training to go on as it was: "backbone" ->
// "mobilenet_v2, width 1", ... An ordered list of key and value, as both are shown where they
// differ.
using Declaration = std::vector<std::pair<std::string, std::string>>;
// Describes the model and the optimizer (Optimizer::declaration()) alone; what it learns from is
// the caller's to add.
Declaration DeclarationOf(const Model& model, std::string_view optimizer);
// The key of the average of the weights, and what a run without one declares: as earlier versions
// had none, a file that does not declare it has none either.
inline constexpr const char* kAverageKey = "average of the weights";
inline constexpr const char* kNoAverage = "none";

// Throws Error(kData) where the file cannot be written.
void SaveCheckpoint(const std::filesystem::path& file, const CheckpointArrays& arrays,
                    const Declaration& declaration, const TrainingPosition& position,
                    const std::string& extra);

struct RestoredState {
  TrainingPosition position;
  std::string extra;
};

// Fills the arrays. Throws Error(kData), with the arrays as they were, where the file is not a
// checkpoint, is damaged, or is of another declaration, of which it says the first difference. What
// the file does not declare, as it is of an earlier version, is taken as it is wanted.
RestoredState RestoreCheckpoint(const std::filesystem::path& path, const CheckpointArrays& arrays,
                                const Declaration& declaration);

// What a checkpoint declares under a key, without looking at its arrays; empty where it does not.
// Throws Error(kData) where the file is no checkpoint or is damaged.
std::string ReadCheckpointDeclaration(const std::filesystem::path& path, const std::string& key);
// The key of the pictures that a run validates with.
inline constexpr const char* kPicturesToValidate = "pictures to validate with";

// What the command wanted to remember, without looking at the arrays. Throws Error(kData) where the
// file is no checkpoint or is damaged.
std::string ReadCheckpointExtra(const std::filesystem::path& path);

struct TakenOver {
  TrainingPosition position;
  std::set<std::string> missing;  // parameters that it has nothing of, by their names in the table
};

// Fills what of the arrays the file has, and leaves the parameters of which it has nothing. Throws
// Error(kData), with the arrays as they were, where the file is no checkpoint, is damaged, declares
// something of `declaration` otherwise, or has of a parameter some runs only, or another shape.
TakenOver TakeOverCheckpoint(const std::filesystem::path& path, const CheckpointArrays& arrays,
                             const Declaration& declaration);

}  // namespace weir
