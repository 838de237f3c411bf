// What an ONNX graph is fed, and what makes of it what the network is fed: resizing, preprocessing.
#pragma once

#include <string>

#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/onnx/onnx_graph.h"

namespace weir {

// Adds the input `images` and the nodes that prepare it; gives the name of what the network reads,
// [N, 3, H, W]. Throws Error(kConfig) where the job's input is of numbers and the network reads
// bytes.
std::string AppendPictures(const ExportJob& job, OnnxGraph& graph);

}  // namespace weir
