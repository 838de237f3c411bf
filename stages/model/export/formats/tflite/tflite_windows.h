// The zeros around a map whose windows a TensorFlow Lite operator reads.
#pragma once

#include <string>

#include "framework/shape.h"
#include "stages/model/backbones/network.h"
#include "stages/model/export/formats/tflite/tflite_constants.h"
#include "stages/model/export/formats/tflite/tflite_graph.h"

namespace weir {

struct TfliteWindows {
  std::string name{};  // the operation's that reads them
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  Pads pads{};
};

// What an operator reads in place of a map, and how it is told of what lies around it.
struct TfliteWindowed {
  int tensor = 0;
  tflite::Padding padding = tflite::Padding::kValid;
};

// SAME where that means the same as the windows' pads, VALID where there are none, and else VALID
// behind an operator of its own, which pads the map `tensor`, [h, w, C], with what stands for 0.
TfliteWindowed Windowed(int tensor, const TfliteWindows& windows, TfliteGraph& graph);

// The same for a maximum: what lies around the map is never the largest.
TfliteWindowed WindowedForMax(int tensor, const TfliteWindows& windows, TfliteGraph& graph);

// A picture in int8 whose channels have a 0 each: `offsets` more than its quantization says. Padded
// by itself where there are pads.
TfliteWindowed WindowedByChannel(int tensor, const TfliteWindows& windows,
                                 const PictureOffsets& offsets, TfliteGraph& graph);

}  // namespace weir
