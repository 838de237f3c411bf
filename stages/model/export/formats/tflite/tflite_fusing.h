// Which functions of an inference graph a TensorFlow Lite operator computes along with the
// operation before them, and how maps are rounded between operators in int8.
//
// Cheap; immutable after construction, so any thread may read it.
#pragma once

#include <vector>

#include "stages/model/export/formats/tflite/tflite_fields.h"
#include "stages/model/export/formats/tflite/tflite_graph.h"
#include "stages/model/export/inference/inference_operation.h"

namespace weir {

TfliteQuantization QuantizationOf(const inference::Bytes& bytes);

class TfliteFusing {
 public:
  // They outlive it.
  explicit TfliteFusing(const std::vector<inference::Operation>& operations);

  // Whether the operation before computes it.
  bool is_fused(int operation) const { return is_fused_[operation]; }
  // What the operator of this one makes: itself, or the function that is fused with it.
  int end(int operation) const { return ends_[operation]; }
  tflite::FusedActivation activation(int operation) const;

  // How what the operator of a convolution in int8 makes is rounded. What a sum is made of is not
  // rounded by weir, and TensorFlow Lite does round it: it gets the scale of the sum. The map that
  // is added has that scale too, so the bytes of the sum are the same unless one leaves its range.
  // Throws Error(kInternal) where there is neither.
  inference::Bytes bytes(int operation) const;

 private:
  const std::vector<inference::Operation>& operations_;
  std::vector<std::vector<int>> readers_;  // each operation's
  std::vector<int> ends_;
  std::vector<bool> is_fused_;
};

}  // namespace weir
