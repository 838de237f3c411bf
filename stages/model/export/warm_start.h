// Beginning with the model that another run left behind, backbone and head, for the same classes or
// for others: what a run's `model.from` names.
//
// The rows of the head that belong to a class go to the class of that name; those of a class that
// the model does not know are drawn as in a new head. Everything else must be as it was there.
//
// One thread at a time. Holds what a saved model holds (saved_model.h), no weights, and the names
// of its classes twice.
#pragma once

#include <filesystem>
#include <memory>

#include "stages/model/export/saved_model.h"

namespace weir {

// The folder of the model that `from` names: it, or the model/ in it. Throws Error(kData) where
// neither holds one.
std::filesystem::path ModelFolderOf(const std::filesystem::path& from);

// What a run with `config` begins with. Throws Error(kConfig) where the backbone that it declares
// is another than that of `saved`, which lies in `folder`. A head that does not fit is found when
// the classes are known: by the `about` of what is returned.
std::shared_ptr<ModelSource> WarmStart(const ModelConfig& config, SavedModel saved,
                                       const std::filesystem::path& folder);

}  // namespace weir
