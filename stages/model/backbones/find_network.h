// Which of a file's tensors are the network that is wanted.
//
// A file may hold several: the two encoders of MoCo, a moving average beside the model, a teacher
// and a student. One whose names are the publisher's own, without a prefix, wins over those that
// lie further inside the same group; of others that fit equally none is taken, unless all hold the
// same numbers, and none where a further one fits but for a few tensors. One thread at a time;
// takes time in proportion to the file's names.
#pragma once

#include <string>

#include "stages/model/backbones/backbone.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

// The names of the network's tensors, all there and of the right shapes. `prefix` says what they
// begin with, with or without the dot or slash at its end; empty leaves it to the rules above.
// Throws Error(kData): no such network, what is missing or of another shape (with the width that
// the file seems to have been made for), or several, with their prefixes.
Naming FindNetwork(WeightsFile& file, const Backbone& backbone, const std::string& prefix);

}  // namespace weir
