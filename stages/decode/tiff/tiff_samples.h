// Rows of a TIFF's samples, as they are stored, as rows of RGB. (TIFF 6.0, sections 3 to 6, 16, 18)
//
// Samples of fewer than 8 bits are stretched to 8, of 12 to 16, of which the upper 8 are taken.
// One thread an object; holds a row of samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/decode/tiff/tiff_layout.h"

namespace weir {

class TiffSamples {
 public:
  using Colour = std::array<std::uint8_t, 3>;

  // The palette is looked at where the layout has one: of 2^bits colours.
  TiffSamples(const TiffLayout& layout, std::vector<Colour> palette);

  // `planes`: where the row begins in each plane; one where the samples of a pixel lie together.
  // `rgb`: [width, 3].
  void ToRgb(std::span<const std::uint8_t* const> planes, std::uint8_t* rgb);

  static std::size_t Bytes(const TiffLayout& layout);

 private:
  template <class T>
  void Unpack(std::span<const std::uint8_t* const> planes, std::vector<T>& samples) const;
  template <class T>
  void Convert(T* samples, std::uint8_t* rgb) const;

  const TiffLayout layout_;
  const std::vector<Colour> palette_;
  std::vector<std::uint8_t> bytes_;   // [width, samples]
  std::vector<std::uint16_t> words_;  // the same of 12 and 16 bits
};

}  // namespace weir
