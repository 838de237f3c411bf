// Where the gradients of one micro-batch go: a run of floats in the layout of a ParameterTable.
//
// The first micro-batch of a batch sets them, and so does one that is summed up later; one that
// follows in the same run adds. Added up in the order of position, these give the same bits however
// many are in flight. One thread at a time. Adding takes one more array of the parameter's size for
// a moment.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/sum.h>

#include "stages/train/steps/parameter_arrays.h"
#include "stages/train/tensors/matrix_product.h"

namespace weir {

class GradientSink {
 public:
  enum class Mode { kSet, kAdd };

  // `run` is float32 of ParameterTable::values().
  GradientSink(const at::Tensor& run, Mode mode) : run_(run), mode_(mode) {}

  void Put(const Parameter& parameter, const at::Tensor& gradient) const {
    at::Tensor target = View(run_, parameter);
    if (mode_ == Mode::kAdd) {
      target.add_(gradient.reshape(parameter.shape));
    } else {
      target.copy_(gradient.reshape(parameter.shape));
    }
  }

  // left x right, of as many values as the parameter.
  void PutProduct(const Parameter& parameter, const at::Tensor& left,
                  const at::Tensor& right) const {
    if (mode_ == Mode::kAdd) return Put(parameter, Multiply(left, right));
    MultiplyInto(View(run_, parameter).view({left.size(0), right.size(1)}), left, right);
  }

  // The sum over the rows of [rows, values].
  void PutRowSum(const Parameter& parameter, const at::Tensor& rows) const {
    Put(parameter, at::sum(rows, 0));
  }

 private:
  at::Tensor run_;
  Mode mode_;
};

}  // namespace weir
