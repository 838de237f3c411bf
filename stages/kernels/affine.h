// Affine maps of the plane, as augmentation composes them: from a pixel of the picture that is made
// to the place in the source that it shows. Coordinates are in pixels; a pixel's centre is whole.
//
// Plain values; any thread.
#pragma once

namespace weir {

// column = xx * c + xy * r + x0
// row    = yx * c + yy * r + y0
struct Affine {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;
};

// First `second`, then `first`: (first ∘ second)(p) = first(second(p)).
Affine Compose(const Affine& first, const Affine& second);

// From a picture of [out_height, out_width] to one of [height, width] that it was resized from,
// with half-pixel centres: source = (target + 0.5) * scale - 0.5.
Affine ResizeMap(int height, int width, int out_height, int out_width);

// What Keras' apply_affine_transform takes, under its own names.
struct KerasTransform {
  double theta = 0;  // degrees
  double tx = 0;     // pixels along the columns
  double ty = 0;     // pixels along the rows
  double shear = 0;  // degrees
  double zx = 1;     // source columns to one of the result; above 1 the picture gets smaller
  double zy = 1;     // source rows to one of the result
  bool flip_horizontal = false;
  bool flip_vertical = false;
};

// The map of keras.src.legacy.preprocessing.image: rotation · shift · shear · zoom about the
// centre, seen through the flips, which Keras applies last. `height` and `width` are of the picture
// that it is applied to, the resized one. For a picture that is not square Keras takes the centre
// with height and width exchanged; this map takes the true centre.
Affine KerasMap(const KerasTransform& transform, int height, int width);

}  // namespace weir
