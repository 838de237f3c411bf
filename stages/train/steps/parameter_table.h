// The arrays of what learns, laid out one behind the other in one run of floats, so that the
// optimizer, the sums of gradients and the checkpoint each are one loop.
//
// Names are torchvision's for the backbone ("features.18.0.weight"), "head.<i>.weight" and so on
// for the head's layers. Cheap: no values are held here. Immutable once declared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/model.h"

namespace weir {

struct Parameter {
  std::string name;
  Shape shape;
  std::size_t offset = 0;  // in floats, a multiple of 16
  std::size_t values = 0;
};

class ParameterTable {
 public:
  void Add(std::string name, Shape shape);

  // Throws Error(kInternal) if there is none of that name.
  const Parameter& at(std::string_view name) const;

  const std::vector<Parameter>& all() const { return all_; }
  std::size_t values() const { return values_; }  // floats in the whole run, gaps included
  std::size_t bytes() const { return values_ * sizeof(float); }

 private:
  std::vector<Parameter> all_;
  std::size_t values_ = 0;
};

struct ModelParameters {
  ParameterTable learning;    // kernels, gamma and beta, dense layers
  ParameterTable statistics;  // running mean and variance beside them
  ParameterTable folded;      // kernel and bias of each convolution behind the prefix, batch norm
                              // folded in, and of each dense layer that is frozen, under the
                              // kernel's and beta's names
};

ModelParameters DeclareParameters(const Model& model);

}  // namespace weir
