// The operations of an inference graph as the text of a method in TorchScript.
//
// One thread at a time, as an InferenceGraph.
#pragma once

#include <string>

#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/torchscript/torchscript_module.h"

namespace weir {

inline constexpr const char* kTorchscriptClass = "Classifier";

// Adds the tensors that it reads to `module`: those of TorchscriptPreprocessing(), and then the
// constants of one operation after another. What it calls is there in the same form since PyTorch
// 1.13. Throws Error(kConfig) where the model computes in int8.
std::string TorchscriptForward(const ExportJob& job, TorchscriptModule& module);

}  // namespace weir
