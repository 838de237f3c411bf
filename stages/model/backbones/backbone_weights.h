// The numbers of a backbone on the host, a layer at a time, in float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "stages/model/backbones/network.h"

namespace weir {

struct ConvWeights {
  std::vector<float> kernel{};  // OIHW, [out, in / groups, k, k]
  std::vector<float> gamma{};   // the batch norm's, [out] each; a dense layer has none
  std::vector<float> beta{};    // or the bias of a dense layer
  std::vector<float> mean{};
  std::vector<float> variance{};
};

// Reads layer `index` of Network::layers(), which has weights, anew at each call. One thread at a
// time. Throws Error(kData) where a file that it reads from proves to be damaged.
using LayerReader = std::function<ConvWeights(int index)>;

// A convolution with its batch norm folded in: kernel * gamma / sqrt(variance + epsilon) and
// beta - mean * gamma / sqrt(variance + epsilon), computed in double and rounded once.
struct FoldedConv {
  std::vector<float> kernel;  // OIHW
  std::vector<float> bias;    // [out]
};
FoldedConv Fold(const NetworkLayer& layer, const ConvWeights& weights, float epsilon);

// He-normal kernels (fan out; He et al., 2015), gamma 1, beta 0, mean 0, variance 1: what `weights:
// none` starts from. A pure function of `seed`.
LayerReader RandomLayers(const Network& network, std::uint64_t seed);

// The most that a layer of this model takes while it is read and put in its place: the values as a
// file has them, the same in OIHW, and what they are folded to.
std::size_t LayerReadingBytes(const Network& network);

}  // namespace weir
