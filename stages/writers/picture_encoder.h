// Pictures to files, by libvips in the calling thread. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir {

enum class PictureFormat { kJpeg, kPng, kWebp };
std::string EndingOf(PictureFormat format);  // "jpg"

// The file of a picture in sRGB, [height, width, 3]; `pixels` may go on behind it. `quality` is 1
// to 100, and nothing to a PNG. Throws Error(kInternal) where libvips fails.
std::vector<std::uint8_t> EncodePicture(std::span<const std::uint8_t> pixels, int height, int width,
                                        PictureFormat format, int quality = 90);
// The most that it holds, its result included.
std::size_t EncoderBytes(int height, int width);

}  // namespace weir
