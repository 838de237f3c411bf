#include "stages/decode/picture/picture_rows.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace weir {
namespace {

constexpr int kLongest = 8;  // times as long as wanted

int CeilDivide(int value, int by) { return (value + by - 1) / by; }
bool IsTransposed(int orientation) { return orientation >= 5; }

}  // namespace

WantedSize AsStored(const WantedSize& wanted, int orientation) {
  WantedSize stored = wanted;
  if (IsTransposed(orientation)) std::swap(stored.height, stored.width);
  return stored;
}

Shrink ShrinkFor(int width, int height, const WantedSize& wanted) {
  if (wanted.width <= 0 || wanted.height <= 0) return {};
  const int both = std::max(1, std::min(width / wanted.width, height / wanted.height));
  return {std::max(both, width / wanted.width / kLongest),
          std::max(both, height / wanted.height / kLongest)};
}

PictureRows::PictureRows(int width, int height, Shrink shrink, int orientation)
    : width_(width),
      height_(height),
      orientation_(orientation),
      shrink_(shrink),
      out_width_(CeilDivide(width, shrink.across)),
      out_height_(CeilDivide(height, shrink.down)) {
  image_.width = IsTransposed(orientation) ? out_height_ : out_width_;
  image_.height = IsTransposed(orientation) ? out_width_ : out_height_;
  image_.pixels = AlignedBuffer<std::uint8_t>(std::size_t{3} * out_width_ * out_height_);
  if (shrink.across > 1 || shrink.down > 1) {
    sums_.assign(std::size_t{3} * out_width_, 0);
    row_.resize(std::size_t{3} * out_width_);
  }
}

std::size_t PictureRows::Bytes(int width, int height, Shrink shrink) {
  const std::size_t row = std::size_t{3} * CeilDivide(width, shrink.across);
  return row * CeilDivide(height, shrink.down) + row * (sizeof(std::uint32_t) + 1);
}

std::uint8_t* PictureRows::NextInPlace() {
  if (!sums_.empty() || orientation_ != 1) return nullptr;
  return image_.pixels.data() + std::size_t{3} * out_width_ * placed_;
}

void PictureRows::Add(const std::uint8_t* rgb) {
  ++added_;
  if (sums_.empty()) return Place(rgb);
  Sum(rgb);
  const int rows = (added_ - 1) % shrink_.down + 1;
  if (rows == shrink_.down || added_ == height_) Average(rows);
}

void PictureRows::Sum(const std::uint8_t* rgb) {
  const std::uint8_t* end = rgb + std::size_t{3} * width_;
  std::uint32_t* sum = sums_.data();
  for (int x = 0; x < out_width_; ++x, sum += 3) {
    const std::uint8_t* box_end = std::min(rgb + std::ptrdiff_t{3} * shrink_.across, end);
    std::uint32_t red = 0, green = 0, blue = 0;
    for (; rgb < box_end; rgb += 3) {
      red += rgb[0];
      green += rgb[1];
      blue += rgb[2];
    }
    sum[0] += red;
    sum[1] += green;
    sum[2] += blue;
  }
}

void PictureRows::Average(int rows) {
  const int last_across = width_ - (out_width_ - 1) * shrink_.across;
  const auto full = static_cast<std::uint32_t>(rows * shrink_.across);
  const auto last = static_cast<std::uint32_t>(rows * last_across);
  const std::size_t last_at = std::size_t{3} * (out_width_ - 1);
  for (std::size_t i = 0; i < row_.size(); ++i) {
    const std::uint32_t count = i < last_at ? full : last;
    row_[i] = static_cast<std::uint8_t>((sums_[i] + count / 2) / count);
  }
  std::fill(sums_.begin(), sums_.end(), 0);
  Place(row_.data());
}

// EXIF's orientation says where the stored row 0 and column 0 are on the upright picture: 1 top
// left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left
// bottom.
void PictureRows::Place(const std::uint8_t* rgb) {
  std::uint8_t* const pixels = image_.pixels.data();
  const std::ptrdiff_t y = placed_++, w = out_width_, h = out_height_;
  if (orientation_ == 1) {
    if (rgb != pixels + y * w * 3) std::memcpy(pixels + y * w * 3, rgb, 3 * w);
    return;
  }
  std::ptrdiff_t first = 0, step = 0;  // pixels of the upright picture
  switch (orientation_) {
    case 2:
      first = y * w + w - 1, step = -1;
      break;
    case 3:
      first = (h - 1 - y) * w + w - 1, step = -1;
      break;
    case 4:
      first = (h - 1 - y) * w, step = 1;
      break;
    case 5:
      first = y, step = h;
      break;
    case 6:
      first = h - 1 - y, step = h;
      break;
    case 7:
      first = (w - 1) * h + h - 1 - y, step = -h;
      break;
    case 8:
      first = (w - 1) * h + y, step = -h;
      break;
    default:
      assert(false);
  }
  std::uint8_t* to = pixels + 3 * first;
  for (std::ptrdiff_t x = 0; x < w; ++x, rgb += 3, to += 3 * step) {
    to[0] = rgb[0];
    to[1] = rgb[1];
    to[2] = rgb[2];
  }
}

}  // namespace weir
