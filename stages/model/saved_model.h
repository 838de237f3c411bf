// The model that a run leaves behind: model.safetensors, every weight of it, under torchvision's
// names for the backbone; and model.json, everything else that predicting needs.
//
// One thread at a time. Saving holds a copy of the weights, loading those of the backbone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stages/learner.h"
#include "stages/model/model.h"

namespace weir {

// Writes both files, each whole or not at all, the weights first. Throws Error(kData) where that
// fails.
void SaveModel(const std::filesystem::path& folder, const Model& model, const Learner& learner);

struct SavedModel {
  ModelSource source;  // everything frozen: it predicts
  std::vector<std::string> classes;
  MapSize input;
};

// Throws Error(kData) where a file is missing, damaged, of another version, or the two do not fit.
SavedModel LoadSavedModel(const std::filesystem::path& folder);

}  // namespace weir
