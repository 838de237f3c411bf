// What a TensorFlow Lite graph is fed, and what makes of it what the network is fed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/formats/tflite/tflite_constants.h"
#include "stages/model/export/formats/tflite/tflite_graph.h"

namespace weir {

// What the network reads, [N, H, W, 3].
struct TflitePicture {
  int tensor = 0;
  // In int8, which takes one number off all bytes: how many more are to be taken off each channel.
  PictureOffsets offsets{};
};

// Adds the input `images` and the operators that prepare it. In int8 that is the picture's bytes
// less 128, of which the quantization says what stands for 0 of red. Throws Error(kConfig) where
// the job's input is of numbers and the network reads bytes.
TflitePicture AppendPicture(const ExportJob& job, TfliteGraph& graph);

}  // namespace weir
