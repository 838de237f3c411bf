// A backbone's numbers out of a file of weights, whoever wrote it: Keras, torchvision, timm or
// transformers.
//
//   const LayerReader read = ReadBackbone(WeightsFile::Open("backbone.pth"), backbone);
//   const ConvWeights first = read(0);
//
// One thread at a time. A reader holds the file, and what it reads of one layer.
#pragma once

#include <memory>
#include <string>

#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

// The backbone's numbers from a file in any of the formats and namings (Keras, torchvision, timm),
// converted to OIHW, read when they are asked for. `prefix` says which of several networks (see
// find_network.h). Throws Error(kData), here as FindNetwork does, and from the reader for a tensor
// with NaN, infinity or a negative variance in it.
LayerReader ReadBackbone(std::shared_ptr<WeightsFile> file, const Backbone& backbone,
                         const std::string& prefix = "");

// The convention that a file's format and names imply: Keras' for HDF5 and for the names of Keras
// or transformers, torchvision's otherwise, unless the file's own metadata ("weir.convention":
// "keras" or "torchvision") says which. Throws Error(kData) where that is neither.
Convention ConventionOf(const WeightsFile& file);

// The epsilon that the file's batch norms were trained with. It belongs to who wrote the file:
// where the user states another convention than ConventionOf, this epsilon still holds. The
// convention's, unless the metadata ("weir.batch_norm_epsilon") says it. Throws Error(kData) where
// that is no number between 0 and 1.
float BatchNormEpsilonOf(const WeightsFile& file);

}  // namespace weir
