// What a layer of the head takes and leaves, forward and backward, in sizes.
//
// Pure; any thread.
#pragma once

#include <vector>

#include "stages/train/training_steps.h"

namespace weir {

struct HeadPlan {
  bool gives_a_view = false;       // its output lies in its input
  std::vector<FloatCount> kept{};  // what its way back needs beside the next two
  bool reads_input = false;        // on the way back
  bool reads_output = false;
  bool gives_a_gradient_view = false;  // the gradient of the input lies in that of the output
  FloatCount forward_scratch{}, backward_scratch{};
  // What it makes on the host where its maps are on a device, before it is brought there.
  FloatCount drawn_on_host{};
};

// The plan of layer `index` of model.head(), where something learns or in inference.
HeadPlan PlanOfHead(const Model& model, int index, bool learning);

// Whether it has numbers that learn.
bool HasParameters(const HeadLayer& layer);

// The size of one sample as the layer reads it, and as it gives it.
FloatCount HeadInput(const Model& model, int index);
FloatCount HeadOutput(const Model& model, int index);

}  // namespace weir
