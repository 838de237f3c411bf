// The weights of a Keras model in the layout that Keras 3 saves and loads, .weights.h5, for its own
// MobileNetV2 with the head behind it in one functional model:
//
//   layers/<layer>/vars/<number>   the arrays: kernel, bias or gamma, beta, mean, variance
//   layers/<layer>/vars name       what the layer is called: "block_1_expand"
//   vars                           the model's own, of which it has none
//
// where <layer> is the layer's class and how many of it came before: conv2d, conv2d_1. The file's
// attributes are the program that loads it, the classes, the preprocessing, weir's version and the
// sha256 of the weights.
#pragma once

#include "stages/model/export/formats/export_format.h"

namespace weir {

extern const ExportFormat kKerasFormat;

}  // namespace weir
