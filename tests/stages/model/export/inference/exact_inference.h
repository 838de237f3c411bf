// What the operations of an InferenceGraph compute by their definitions, in double: what a format
// that is written from them is to compute.
#pragma once

#include <vector>

#include "stages/model/export/inference/inference_graph.h"

namespace weir {

// A map [h, w, C] or a vector [C], with its values.
struct ExactValue {
  Shape shape;
  std::vector<double> values;
};

// What each operation gives of one picture, [H, W, 3] as the network is fed it: preprocessed, or in
// int8 the bytes less those that stand for 0.
std::vector<ExactValue> InferExactly(const InferenceGraph& graph, const ExactValue& picture);

// Values for the head's arrays, drawn by their names; variances are positive.
std::vector<float> DrawnHeadArray(int layer, const HeadArray& array);

}  // namespace weir
