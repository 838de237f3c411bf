// How an optimizer steps over arrays that are on a device, by LibTorch: what Optimizer::Step does
// on the host, to float32's rounding.
//
// Each optimizer's is a function in a file of its own in this folder, which gives a row
// (DeviceStep) of the list in device_steps.cc. It takes up to three more arrays for a moment.
// Called in inference mode; any thread, on arrays of its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "stages/train/optimizers/optimizer.h"

namespace weir {

// Float32 [n] each.
struct DeviceArrays {
  const at::Tensor& values;
  const at::Tensor& gradients;
  std::span<const at::Tensor> slots;  // as Optimizer::slot_names()
};

// A row of the list.
struct DeviceStep {
  bool (*is_of)(const Optimizer& optimizer);
  // `step` counts from 1.
  void (*run)(const Optimizer& optimizer, const DeviceArrays& arrays, std::uint64_t step,
              double learning_rate);
};

template <class Of, void (*kRun)(const Of&, const DeviceArrays&, std::uint64_t, double)>
constexpr DeviceStep DeviceStepOf() {
  return {
      .is_of =
          [](const Optimizer& optimizer) { return dynamic_cast<const Of*>(&optimizer) != nullptr; },
      .run =
          [](const Optimizer& optimizer, const DeviceArrays& arrays, std::uint64_t step,
             double learning_rate) {
            kRun(static_cast<const Of&>(optimizer), arrays, step, learning_rate);
          }};
}

}  // namespace weir
