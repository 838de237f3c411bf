// Keras 3's .keras: a zip with the model's description and its weights, `model.weights.h5`, which
// is read where it lies. Keras stores it uncompressed; one that was compressed afterwards is
// refused, with words on how to unpack it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "stages/files/mapped_file.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

// Throws Error(kData) for a zip that is damaged.
bool LooksLikeKerasArchive(const std::filesystem::path& path, std::span<const std::byte> file);

// Throws Error(kData).
std::unique_ptr<WeightsFile> OpenKerasArchive(const std::filesystem::path& path,
                                              std::unique_ptr<MappedFile> file);

}  // namespace weir
