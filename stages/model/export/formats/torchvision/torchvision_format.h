// A state dict for torchvision's own MobileNetV2, with the head as its classifier: as torch.save
// writes it, or as safetensors, by the name of the file.
//
// Beside the weights the file says the program that loads them, the classes, the preprocessing,
// weir's version and the sha256 of the weights: the one in entries extra/<key>, the other as
// metadata.
#pragma once

#include "stages/model/export/formats/export_format.h"

namespace weir {

extern const ExportFormat kTorchvisionFormat;

}  // namespace weir
