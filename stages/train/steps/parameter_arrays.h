// The values of a model's parameters, each table (parameter_table.h) one tensor.
//
// Shared by what computes with them; written between micro-batches only.
#pragma once

#include <ATen/core/Tensor.h>

#include "stages/train/steps/parameter_table.h"

namespace weir {

struct ParameterArrays {
  ModelParameters tables;
  bool is_issued = false;  // they are on a device, whose work is issued by the calling thread alone
  at::Tensor values;       // the values that tables.learning lays out
  at::Tensor statistics;   // the values that tables.statistics lays out
  at::Tensor folded;       // the values that tables.folded lays out
};

// A parameter in its own shape, sharing the memory of `run`.
inline at::Tensor View(const at::Tensor& run, const Parameter& parameter) {
  return run
      .narrow(0, static_cast<std::int64_t>(parameter.offset),
              static_cast<std::int64_t>(parameter.values))
      .view(parameter.shape);
}

}  // namespace weir
