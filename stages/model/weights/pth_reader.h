// PyTorch's files of tensors: the zip with a pickle that torch.save writes since 1.6, and the row
// of pickles that it wrote before (torchvision's and timm's older weights are such files).
//
// The tensors are found wherever dictionaries and lists lead to them (state_dict.h); everything
// else is left alone (pickle.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "stages/files/mapped_file.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

bool LooksLikePth(std::span<const std::byte> file);

// Throws Error(kData).
std::unique_ptr<WeightsFile> OpenPth(const std::filesystem::path& path,
                                     std::unique_ptr<MappedFile> file);

}  // namespace weir
