// safetensors: a JSON header that places every tensor, then the tensors.
// Format: https://github.com/huggingface/safetensors#format, whose demands are all checked: the
// header's length, that the tensors tile the rest of the file without gap or overlap, and that each
// has as many bytes as its shape and type say. Headers above 16 MiB are refused (the format allows
// 100 MB), so that a hostile one cannot cost more than about ten times that to parse.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "stages/model/mapped_file.h"
#include "stages/model/weights_file.h"

namespace weir {

bool LooksLikeSafetensors(std::span<const std::byte> file);

// Throws Error(kData).
std::unique_ptr<WeightsFile> OpenSafetensors(const std::filesystem::path& path,
                                             std::unique_ptr<MappedFile> file);

}  // namespace weir
