// The formats of files of weights that weir reads, in one list.
//
// A format is one file (pth_reader, safetensors_reader, ...), which gives a row of the list.
// Who reads weights goes by the list. Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "stages/model/weights/weights_format.h"

namespace weir {

std::span<const WeightsFormat* const> WeightsFormats();

// What to give, in advice: "a PyTorch .pth, a .safetensors, or a Keras .keras, .h5 or .weights.h5".
std::string WeightsFormatsToGive();

// What each is called by: ".pth, .safetensors, .keras or .h5".
std::string WeightsEndings();

// Whether a file of this name, or at this address, is one of Keras', as far as its ending tells.
bool IsNameOfKeras(std::string_view name);

// Whether files of that name are weights.
bool IsNameOfWeights(std::string_view name);

}  // namespace weir
