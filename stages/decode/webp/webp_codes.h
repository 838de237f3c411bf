// What libwebp allocates for a lossless WebP stream beside its pixels: its sets of prefix codes,
// and the small pictures of its transforms. The stream alone says how many there are: a file of
// 300 KB may ask for 800 MB of them.
//
// The beginning of the stream is read as a decoder reads it, up to the prefix codes of the picture
// itself; no pixel of that is decoded. Any thread; at most 320 KiB are held meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "stages/files/file_bytes.h"

namespace weir {

// Where a VP8L stream (RFC 9649, section 3.4) lies in a file, behind its own header of five bytes
// where it has one: that of an ALPH chunk has none.
struct LosslessStream {
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
  int width = 0;
  int height = 0;
};

// Adds to `bytes` what the decoder allocates for codes and transforms. Returns what is wrong with
// the stream: empty where nothing is.
std::string CountLosslessCodes(FileBytes& file, const LosslessStream& stream, std::size_t& bytes);

}  // namespace weir
