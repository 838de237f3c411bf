// The operations of an inference graph as the nodes of an ONNX graph.
#pragma once

#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/onnx_graph.h"

namespace weir {

// The input `images`, what prepares it, all operations, and the output `probabilities`. The
// constants of the operations, in their order, are those that are to be given when the graph is
// written. Maps are [N, C, h, w].
OnnxGraph OnnxGraphOf(const ExportJob& job);

}  // namespace weir
