// Takes the rows of a picture as they are decoded, averages boxes of them, and turns them upright,
// so that a large picture never exists in memory as a whole.
//
// One thread an object. Holds the result and, where it shrinks, one row of sums: Bytes().
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stages/payloads.h"

namespace weir {

// By which whole number each axis is divided.
struct Shrink {
  int across = 1;
  int down = 1;
};

// `wanted`, of the upright picture, as the picture is stored under EXIF's `orientation`.
WantedSize AsStored(const WantedSize& wanted, int orientation);

// The most that a picture may shrink and still be no smaller than `wanted`, as stored, in either
// axis: the same in both, so that its shape stays. Only a picture that would be left over 8 times
// as long as wanted is shrunk more along that axis. {1, 1} where nothing is wanted (0 x 0).
Shrink ShrinkFor(int width, int height, const WantedSize& wanted);

class PictureRows {
 public:
  // The picture will be added in rows of [width, 3], `height` of them. A box cut off by the
  // edge is averaged over what there is of it.
  PictureRows(int width, int height, Shrink shrink, int orientation);

  // Where the next row may be decoded to, of [width, 3], so that it need not be copied: its place
  // in the result, where nothing is to be done to it. Null otherwise.
  std::uint8_t* NextInPlace();

  // `rgb` may be what NextInPlace() gave.
  void Add(const std::uint8_t* rgb);

  // After the last row: upright, without its sample.
  Image Take() { return std::move(image_); }

  static std::size_t Bytes(int width, int height, Shrink shrink);

 private:
  void Sum(const std::uint8_t* rgb);
  void Average(int rows);
  void Place(const std::uint8_t* rgb);

  const int width_, height_, orientation_;
  const Shrink shrink_;
  const int out_width_, out_height_;  // as stored
  int added_ = 0, placed_ = 0;
  std::vector<std::uint32_t> sums_;
  std::vector<std::uint8_t> row_;
  Image image_;
};

}  // namespace weir
