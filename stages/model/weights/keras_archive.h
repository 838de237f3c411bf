// Keras 3's .keras: a zip with the model's description and its weights, `model.weights.h5`, which
// is read where it lies. Keras stores it uncompressed; one that was compressed afterwards is
// refused, with words on how to unpack it.
#pragma once

#include "stages/model/weights/weights_format.h"

namespace weir {

extern const WeightsFormat kKerasArchiveFormat;

}  // namespace weir
