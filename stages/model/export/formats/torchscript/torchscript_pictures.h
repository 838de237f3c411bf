// What a method in TorchScript is fed, and what makes of it what the network is fed: a check of its
// type and shape, resizing, preprocessing.
//
// Pure but for the module; any thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/torchscript/torchscript_module.h"

namespace weir {

inline constexpr const char* kTorchscriptImages = "images";  // what the input is called

// The lines of the method that refuse another input in words.
std::string TorchscriptInputCheck(const ExportJob& job);

// The expression of what the network reads, [N, 3, H, W]. Adds a tensor to `module` for each of
// TorchscriptPreprocessing().
std::string TorchscriptPictures(const ExportJob& job, TorchscriptModule& module);

// The values of the tensors that it takes; none where the input is preprocessed already.
std::vector<std::array<float, 3>> TorchscriptPreprocessing(const ExportJob& job);

}  // namespace weir
