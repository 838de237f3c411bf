// The source that reads what a command names on its command line, in the place of a run's own: DATA
// of `weir evaluate`, the PATHs of `weir predict`; or that own one, to measure with once more.
//
// Which sources can is what they declare (DataReading); none is known here by its name. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/flow/registry.h"

namespace weir {

struct GivenData {
  DataUse use = DataUse::kLabelled;
  std::vector<std::filesystem::path> paths;  // one or more
  std::vector<std::string> settings{};       // "label_column=species": parameters of the source
};

// The stage that fits all of the paths best; of several the one of the run, `own`, else one of
// weir's before those of plugins. Throws Error(kData) where none reads them.
const StageSpec& SourceFor(const GivenData& data, const Registry& stages, const StageConfig& own);

// That source as the stage of a pipeline, for the classes of a model. It reads as `own` does, where
// that is one of its kind. The data and the classes outlive it. Throws Error(kConfig) where a
// setting is wrong.
StageSpec SourceOf(const StageSpec& source, const GivenData& data, const StageConfig& own,
                   const std::vector<std::string>& classes);

// The run's own source with what the run trained and validated with, for a pass over what it
// validated with. `source` is the one that `own` names; the classes, those of the model, outlive
// it. Its make throws Error(kData) where the data have other classes now.
StageSpec OwnSource(const StageSpec& source, const StageConfig& own,
                    const std::vector<std::string>& classes);

}  // namespace weir
