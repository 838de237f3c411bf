// PyTorch's files of tensors: the zip with a pickle that torch.save writes since 1.6, and the row
// of pickles that it wrote before (torchvision's and timm's older weights are such files).
//
// The tensors are found wherever dictionaries and lists lead to them (state_dict.h); everything
// else is left alone (pickle.h).
#pragma once

#include "stages/model/weights/weights_format.h"

namespace weir {

extern const WeightsFormat kPthFormat;

}  // namespace weir
