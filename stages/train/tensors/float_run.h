// Runs of floats in LibTorch's memory, as ParameterTable lays out what learns.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace weir {

inline at::Tensor ZeroRun(std::size_t values, at::Device device) {
  return at::zeros({static_cast<std::int64_t>(values)},
                   at::TensorOptions(device).dtype(at::kFloat));
}

// `run` is on the host, and outlives what is given.
inline std::span<float> SpanOf(const at::Tensor& run) {
  return {run.mutable_data_ptr<float>(), static_cast<std::size_t>(run.numel())};
}

}  // namespace weir
