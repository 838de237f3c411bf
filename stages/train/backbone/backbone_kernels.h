// What the steps through the backbone compute, on the host and on a device.
//
// The gradients are written out by hand: every array that is kept has its place in the list of
// steps, and LibTorch's autograd, which starts threads of its own where there is a GPU, is not
// needed.
//
// Any thread, each with a frame of its own; steps that follow running statistics one at a time.
#pragma once

#include "stages/train/backbone/backbone_layers.h"
#include "stages/train/steps/step_frame.h"

namespace weir {

// A step of the backbone's (training_step.h) through `layer`.
void RunBackboneStep(const BackboneLayer& layer, const StepFrame& frame);

}  // namespace weir
