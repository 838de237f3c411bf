// The constants of an operation as the tensors of a file: in float32 as they are, or in 8 bits.
//
// The functions are pure; any thread. A reader is one thread's, and holds the constants of one
// operation at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "stages/model/export/inference/inference_graph.h"

namespace weir {

// The constants of one operation as the file's tensors have them.
using EncodedConstants = std::vector<std::vector<std::byte>>;
using ConstantEncoder = std::function<EncodedConstants(const ConstantValues&)>;

// In float32, as they are.
EncodedConstants EncodeFloats(const ConstantValues& constants);

// What a convolution in int8 takes whose input has the scale `from`: the kernel in int8, its
// scales, the bias in int32 and the scales of that. A runtime adds the bias to sums of bytes, so 1
// of it stands for what 1 of such a sum does; where it would not fit, as behind a kernel that is
// all but 0, both get a larger scale, which moves the kernel by less than 2^-30 of the bias.
EncodedConstants EncodeInt8(const ConstantValues& constants, float from);

// The constants of all operations, one after another.
class ConstantReader {
 public:
  // Both outlive it; an encoder for each operation of the graph.
  ConstantReader(const InferenceGraph& graph, const std::vector<ConstantEncoder>& encoders)
      : graph_(graph), encoders_(encoders) {}

  // Throws as InferenceGraph::ReadConstants.
  std::vector<std::byte> Next();

 private:
  const InferenceGraph& graph_;
  const std::vector<ConstantEncoder>& encoders_;
  int operation_ = 0;
  std::deque<std::vector<std::byte>> encoded_;  // what is left of the operation before
};

}  // namespace weir
