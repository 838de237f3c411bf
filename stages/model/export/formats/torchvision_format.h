// A state dict for torchvision's own MobileNetV2, with the head as its classifier: as torch.save
// writes it, or as safetensors, by the name of the file.
//
// Beside the weights the file says the program that loads them, the classes, the preprocessing,
// weir's version and the sha256 of the weights: as entries extra/<key> of the one, and as metadata
// of the other.
#pragma once

#include "stages/model/export/formats/export_format.h"

namespace weir {

extern const ExportFormat kTorchvisionFormat;

}  // namespace weir
