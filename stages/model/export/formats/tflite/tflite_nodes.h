// The operations of an inference graph as the operators of a TensorFlow Lite graph.
#pragma once

#include <vector>

#include "stages/model/export/formats/encoded_constants.h"
#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/tflite/tflite_graph.h"

namespace weir {

struct TfliteNodes {
  TfliteGraph graph;  // what it has for later is of the operations, one operation after another
  std::vector<ConstantEncoder> encoders;  // one for each operation of the inference graph
};

// The input `images`, what prepares it, all operations, and the output `probabilities`. Maps are
// [N, h, w, C]. A ReLU or ReLU6 is told to the operator before it, where nothing else reads that.
// Operations on bytes are in int8, and what is rounded by none of them is computed in float32.
// Throws Error(kConfig) where an input of numbers is asked for and the model reads bytes.
TfliteNodes TfliteNodesOf(const ExportJob& job);

}  // namespace weir
