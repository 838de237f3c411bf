// The operations of an inference graph as the nodes of an ONNX graph.
#pragma once

#include <vector>

#include "stages/model/export/formats/encoded_constants.h"
#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/onnx/onnx_graph.h"

namespace weir {

struct OnnxNodes {
  OnnxGraph graph;  // its AddLater are those of the operations, one operation after another
  std::vector<ConstantEncoder> encoders;  // one for each operation of the inference graph
};

// The input `images`, what prepares it, all operations, and the output `probabilities`. Maps are
// [N, C, h, w]. What is in bytes is written as QuantizeLinear and DequantizeLinear about the float
// operations, from which runtimes make their 8-bit ones. Throws Error(kConfig) where an input of
// numbers is asked for and the model reads bytes.
OnnxNodes OnnxNodesOf(const ExportJob& job);

}  // namespace weir
