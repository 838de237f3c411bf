// Keras' HDF5 files of weights: the legacy .h5 (a group a layer, with a `weight_names` attribute; a
// whole model has them under `model_weights`) and Keras 3's .weights.h5
// (`layers/<layer>/vars/<i>`).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "stages/model/weights/weights_format.h"

namespace weir {

extern const WeightsFormat kHdf5Format;

// An HDF5 that is a part of `file`, `bytes`. Throws Error(kData).
std::unique_ptr<WeightsFile> OpenHdf5(const std::filesystem::path& path,
                                      std::unique_ptr<MappedFile> file,
                                      std::span<const std::byte> bytes);

}  // namespace weir
