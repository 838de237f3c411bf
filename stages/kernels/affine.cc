#include "stages/kernels/affine.h"

#include <cmath>
#include <numbers>

namespace weir {
namespace {

double Radians(double degrees) { return degrees * std::numbers::pi / 180; }

Affine Shift(double columns, double rows) { return {.x0 = columns, .y0 = rows}; }

Affine Rotation(double degrees) {
  if (degrees == 0) return {};  // exactly, so that rows stay rows
  const double cosine = std::cos(Radians(degrees));
  const double sine = std::sin(Radians(degrees));
  return {.xx = cosine, .xy = -sine, .yx = sine, .yy = cosine};
}

Affine Shear(double degrees) {
  return {.xy = -std::sin(Radians(degrees)), .yy = std::cos(Radians(degrees))};
}

}  // namespace

Affine Compose(const Affine& first, const Affine& second) {
  return {.xx = first.xx * second.xx + first.xy * second.yx,
          .xy = first.xx * second.xy + first.xy * second.yy,
          .x0 = first.xx * second.x0 + first.xy * second.y0 + first.x0,
          .yx = first.yx * second.xx + first.yy * second.yx,
          .yy = first.yx * second.xy + first.yy * second.yy,
          .y0 = first.yx * second.x0 + first.yy * second.y0 + first.y0};
}

Affine ResizeMap(int height, int width, int out_height, int out_width) {
  const double scale_x = static_cast<double>(width) / out_width;
  const double scale_y = static_cast<double>(height) / out_height;
  return {.xx = scale_x, .x0 = 0.5 * scale_x - 0.5, .yy = scale_y, .y0 = 0.5 * scale_y - 0.5};
}

Affine KerasMap(const KerasTransform& transform, int height, int width) {
  const double centre_x = width / 2.0 - 0.5;
  const double centre_y = height / 2.0 - 0.5;
  Affine map = Compose(Rotation(transform.theta), Shift(transform.tx, transform.ty));
  map = Compose(map, Shear(transform.shear));
  map = Compose(map, {.xx = transform.zx, .yy = transform.zy});
  map = Compose(Shift(centre_x, centre_y), Compose(map, Shift(-centre_x, -centre_y)));
  if (transform.flip_horizontal) map = Compose(map, {.xx = -1, .x0 = width - 1.0});
  if (transform.flip_vertical) map = Compose(map, {.yy = -1, .y0 = height - 1.0});
  return map;
}

}  // namespace weir
