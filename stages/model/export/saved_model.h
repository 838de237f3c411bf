// The model that a run leaves behind: model.safetensors, every weight of it, under torchvision's
// names for the backbone and head.<i>.weight and so on for the head; and model.json, everything
// else that predicting needs:
//
//   {"version": 1, "classes": ["ants", "bees"], "input": [224, 224],
//    "convention": {"padding": "same", "batch_norm_epsilon": 0.001},
//    "preprocessing": {"scale": 0.007843138, "offset": -1},
//    "backbone": {"name": "mobilenet_v2", "width": 1}, "head": [...],
//    "pictures": [{"decode": {...}}, {"augment": {...}}], "precision": "float32",
//    "kept": {"epoch": 7, "as": "best accuracy", "validation": {"loss": 0.31, "accuracy": 0.94}}}
//
// Where the weights are an average, raw.safetensors beside them has those that learnt.
// With `precision: int8` also int8.safetensors: <torchvision's name of the layer>.scale, of the map
// behind it, and .mean, of each of its channels.
//
// One thread at a time. They hold what the learner or the reader holds, and no copy of the weights.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "stages/files/mapped_file.h"
#include "stages/learner.h"
#include "stages/model/export/model_description.h"
#include "stages/model/model.h"

namespace weir {

// Writes the files, each whole or not at all, the weights first. `maps` are those of ModelSource,
// null where there are none; `origin` may be empty. Throws Error(kData) where that fails.
void SaveModel(const std::filesystem::path& folder, const Model& model, const Learner& learner,
               const std::vector<MapStatistics>* maps, const ModelUse& use,
               const ModelOrigin& origin);

// Writes the weights alone, beside those of SaveModel, as raw.safetensors.
void SaveRawWeights(const std::filesystem::path& folder, const Model& model,
                    const Learner& learner);

struct SavedModel {
  ModelSource source;  // everything frozen: it predicts
  std::vector<std::string> classes;
  MapSize input;
  ModelUse use;
};

// The epoch that the model in `folder` is of, from 1; 0 where it does not say. Reads the
// description and the headers of the weights. Throws Error(kData) where one of them is missing,
// damaged or cut short.
int EpochOfSavedModel(const std::filesystem::path& folder);

// Throws Error(kData) where a file is missing, damaged, of another version, or the two do not fit;
// where the backbone does not fit, its open_backbone throws it.
// `map` is asked once for the file of weights: all comes from that, whatever takes its place.
SavedModel LoadSavedModel(
    const std::filesystem::path& folder,
    const std::function<MappedFile(const std::filesystem::path&)>& map =
        [](const std::filesystem::path& path) { return MappedFile(path); });

}  // namespace weir
