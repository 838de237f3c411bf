// The pixels of a picture that somebody else holds, as the kernels read and write them.
//
//   Resize(image.view(), out.view());
//   Resize(image.view().Part(top, left, height, width), out.view());
//
// sRGB, three bytes a pixel. Plain values, which end before the pixels do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weir {

template <class Byte>
struct BasicPixelView {
  Byte* pixels = nullptr;
  int height = 0, width = 0;  // pixels
  std::size_t row_bytes = 0;  // from one row to the next

  BasicPixelView() = default;
  // [height, width, 3], without gaps.
  BasicPixelView(Byte* first, int rows, int columns)
      : BasicPixelView(first, rows, columns, std::size_t{3} * columns) {}
  BasicPixelView(Byte* first, int rows, int columns, std::size_t between_rows)
      : pixels(first), height(rows), width(columns), row_bytes(between_rows) {}

  Byte* row(int number) const { return pixels + row_bytes * number; }
  Byte* end() const { return row(height - 1) + std::size_t{3} * width; }  // behind the last pixel

  // A part that lies within it.
  BasicPixelView Part(int top, int left, int rows, int columns) const {
    return {row(top) + std::size_t{3} * left, rows, columns, row_bytes};
  }

  // What can be written can be read.
  operator BasicPixelView<const Byte>() const requires(!std::is_const_v<Byte>) {
    return {pixels, height, width, row_bytes};
  }
};

using PixelView = BasicPixelView<const std::uint8_t>;
using MutablePixelView = BasicPixelView<std::uint8_t>;

}  // namespace weir
