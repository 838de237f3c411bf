// The numbers of a backbone on the host, layer by layer, in float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stages/model/mobilenet_v2.h"

namespace weir {

struct ConvWeights {
  std::vector<float> kernel;  // OIHW, [out, in / groups, k, k]
  std::vector<float> gamma;   // the batch norm's, [out] each
  std::vector<float> beta;
  std::vector<float> mean;
  std::vector<float> variance;
};

struct BackboneWeights {
  std::vector<ConvWeights> layers;  // as many as MobileNetV2::layers(), in its order
};

// A convolution with its batch norm folded in: kernel * gamma / sqrt(variance + epsilon) and
// beta - mean * gamma / sqrt(variance + epsilon), computed in double and rounded once.
struct FoldedConv {
  std::vector<float> kernel;  // OIHW
  std::vector<float> bias;    // [out]
};
FoldedConv Fold(const ConvLayer& layer, const ConvWeights& weights, float epsilon);

// He-normal kernels (fan out; He et al., 2015), gamma 1, beta 0, mean 0, variance 1: what `weights:
// none` starts from. A pure function of `seed`.
BackboneWeights RandomBackbone(const MobileNetV2& model, std::uint64_t seed);

// Bytes that BackboneWeights of this model holds.
std::size_t BackboneBytes(const MobileNetV2& model);

}  // namespace weir
