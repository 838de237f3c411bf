// The frozen prefix as oneDNN convolutions and where their maps lie: all that can be known before
// there are weights. Both the prefix and its footprint are made from it, so the plan that is
// printed is the one that is run.
//
// Making one compiles no kernels: a few milliseconds and a few hundred KB. Immutable afterwards.
#pragma once

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "stages/model/frozen_prefix.h"

namespace weir {

struct PlannedConvolution {
  dnnl::convolution_forward::primitive_desc descriptor{};
  int layer = 0;
  int depthwise = -1;   // the layer that is fused behind it; -1 where none is
  int source = 0;       // index into OneDnnPlan::buffers
  int destination = 0;  // the added map's own buffer where nothing reads that map afterwards
  int added = -1;       // the buffer of the added map where it is another; -1 where none is
};

struct PlannedBuffer {
  dnnl::memory::desc desc{};
  std::size_t offset = 0;  // into the workspace
};

struct OneDnnPlan {
  // Throws Error(kConfig) where this CPU cannot do `options.precision`.
  OneDnnPlan(const Network& network, const PrefixOptions& options, const dnnl::engine& engine);

  std::vector<PlannedConvolution> convolutions;  // in the order in which they run
  std::vector<PlannedBuffer> buffers;            // the first is the converted picture
  Pads picture_pads{};                           // around the picture, where its bytes are read
  std::size_t scratchpad_offset = 0;
  std::size_t workspace_bytes = 0;
  std::size_t weights_bytes = 0;
};

// Whether oneDNN has only its reference for one, or for one of two that are fused.
bool IsReference(const dnnl::convolution_forward::primitive_desc& convolution);

enum class ParameterKind { kKernel, kBias, kScales };

// A packed parameter of a convolution: how oneDNN calls it and how it wants it.
struct PackedParameter {
  int argument = 0;  // DNNL_ARG_WEIGHTS, ...
  int layer = 0;
  ParameterKind kind = ParameterKind::kKernel;
  dnnl::memory::desc desc{};
};
std::vector<PackedParameter> PackedParameters(const PlannedConvolution& convolution);

// The kernel's shape as oneDNN has it: OIHW, or GOIHW for the depthwise ones.
dnnl::memory::dims KernelShape(const NetworkLayer& layer);

}  // namespace weir
