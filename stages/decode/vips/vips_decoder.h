// PNG by libvips, strip by strip, in the calling thread: no thread is started, nothing is cached,
// nothing goes to stderr.
#pragma once

#include <cstddef>
#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

// Sets libvips up; cheap after the first time. Throws Error(kInternal) where that fails. Any
// thread.
void StartVips();

std::string VipsVersion();  // of the library that is loaded: "8.14.1"

// `wanted` is of the upright picture. StartVips() comes before. Any thread; the Drop has no sample.
// JPEG is read too, so that DecodeJpeg() has something to be compared with.
Outcome<Image> DecodeWithVips(const FileBytes& file, const ImageHeader& header,
                              const WantedSize& wanted);

// The most that DecodeWithVips() holds of a PNG, its result included.
std::size_t VipsDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
