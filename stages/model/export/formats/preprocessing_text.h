// What an exported model is fed, and what is done to a picture before the network, in words.
//
// Pure; any thread.
#pragma once

#include <string>

#include "stages/model/export/formats/export_format.h"

namespace weir {

// "RGB pictures of 224 x 224 pixels in bytes, channels last; each byte x becomes x * 0.00784314 -
// 1". An input of numbers is [N, 3, H, W], or where `channels_last` [N, H, W, 3].
std::string PreprocessingText(const ExportJob& job, bool channels_last = false);

// "uint8 [N, 224, 224, 3]": what the model is fed.
std::string InputShapeText(const ExportJob& job, bool channels_last);

// "x * 0.00784314 - 1", or with the numbers of red, green and blue in lists: what becomes of each
// byte x.
std::string PreprocessingFormula(const Preprocessing& preprocessing);

}  // namespace weir
