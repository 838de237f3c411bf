// A format of pictures as a row of the list in stages/decode/formats.h: all that the rest of weir
// knows of it.
//
//   constinit const ImageFormat kBmpFormat = {.name = "BMP", .endings = kEndings, ...};
//
// Immutable. All functions may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "framework/flow/stage.h"
#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

// How a file begins; one that is shorter has zeros behind its end.
inline constexpr std::size_t kFirstBytes = 16;
using FirstBytes = std::array<unsigned char, kFirstBytes>;

// Whether the bytes from `offset` on are `text`, which may hold zeros.
template <std::size_t size>
bool HoldsAt(const FirstBytes& bytes, std::size_t offset, const char (&text)[size]) {
  return std::memcmp(bytes.data() + offset, text, size - 1) == 0;
}

struct ImageFormat {
  std::string_view name;  // in messages: "JPEG"

  // What the names of its files end in, in small letters: ".jpg". Files of other endings are looked
  // into; none of these is.
  std::span<const std::string_view> endings;

  // Whether a file that begins so is of this format, by its magic number alone.
  bool (*matches)(const FirstBytes& bytes);

  // Fills in the header, but for its format, and returns what is wrong with the file: empty where
  // nothing is.
  std::string (*read_header)(FileBytes& file, ImageHeader& header);

  // `wanted` is of the upright picture. The Drop has no sample.
  Outcome<Image> (*decode)(FileBytes& file, const ImageHeader& header, const WantedSize& wanted);

  // The most that decode() holds, its result included.
  std::size_t (*decoder_bytes)(const ImageHeader& header, const WantedSize& wanted);

  // The library that decides on the pixels, with the version that is loaded: "libtiff 4.5.0". Null
  // where none does but for speed.
  std::string (*library)() = nullptr;

  // Sets the library up before the first picture is decoded; cheap after the first time. Null where
  // there is nothing to set up.
  void (*start)() = nullptr;
};

}  // namespace weir
