// Pictures by libvips, strip by strip, in the calling thread: no thread is started, nothing is
// cached, nothing goes to stderr.
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

std::string VipsVersion();  // the version of the library that is loaded: "8.14.1"

// One of libvips' operations that load a picture of one format, row after row.
struct VipsLoader {
  const char* operation;  // "pngload_source"
  bool shrinks = false;   // it divides the sides by its option `shrink` on the way
};

// `wanted` is of the upright picture. StartVips() comes before. Any thread; the Drop has no sample.
Outcome<Image> DecodeWithVips(const FileBytes& file, const ImageHeader& header,
                              const WantedSize& wanted, const VipsLoader& loader);

// The most that DecodeWithVips() holds of a PNG, its result included.
std::size_t VipsDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
