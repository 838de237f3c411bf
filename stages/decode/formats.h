// The formats of pictures that weir reads, in one list, and a look at a file's first bytes: which
// of them it is, how large, and what it costs to decode.
//
// A format is a folder beside this file, which gives a row of the list. Who reads pictures goes by
// the list.
//
// Nothing is decoded. A few KB are read of most files; of those with thousands of segments in front
// of the picture, or of chunks behind it, more, up to a limit that is the same for all. Any thread;
// nothing is held afterwards.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "framework/flow/stage.h"
#include "stages/decode/picture/image_format.h"
#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

// The first is the one that most photos have.
std::span<const ImageFormat* const> ImageFormats();

// "JPEG, PNG, ... and WebP"; `last` stands before the last one.
std::string ImageFormatNames(std::string_view last);

// Whether a file that begins so is of one of the formats, by its magic number alone: the first
// kFirstBytes, or all that there are. What lies behind may still be no picture.
bool LooksLikePicture(std::string_view first_bytes);

// A Drop (without a sample) where the file is not such a picture, or says of itself what cannot be.
Outcome<ImageHeader> ReadImageHeader(FileBytes& file);

}  // namespace weir
