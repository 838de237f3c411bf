#include "stages/augment/augment.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>
#include <utility>

#include "framework/random.h"
#include "stages/kernels/resize.h"
#include "stages/kernels/warp.h"
#include "stages/pixel_view.h"

namespace weir {
namespace {

// To how many pixels an axis of `size` may shrink where those of the result are `scale` of its
// pixels apart.
int Shrunk(int size, double scale) {
  return scale > 1 ? std::clamp(static_cast<int>(std::ceil(size / scale)), 1, size) : size;
}

bool OnlyFlips(const KerasTransform& drawn) {
  return drawn.theta == 0 && drawn.tx == 0 && drawn.ty == 0 && drawn.shear == 0 && drawn.zx == 1 &&
         drawn.zy == 1;
}

}  // namespace

Augment::Augment(const Params& params, BuildContext& context)
    : params_(params), seed_(context.seed), training_(context.training) {
  const double closest = std::min(params_.zoom.low, 1.0);
  wanted_.height = static_cast<int>(std::ceil(params_.size.height / closest));
  wanted_.width = static_cast<int>(std::ceil(params_.size.width / closest));
  // What arrives in one size was decoded for whoever made it so.
  if (context.upstream.dims.empty()) context.resources.Put(std::make_shared<WantedSize>(wanted_));
}

std::size_t Augment::picture_bytes() const {
  return std::size_t{3} * params_.size.height * params_.size.width;
}

ItemSpec Augment::output() const {
  return {.dims = {params_.size.height, params_.size.width, 3}, .item_bytes = picture_bytes()};
}

// A picture that is varied may be made smaller first, to no more than is wanted of it.
Footprint Augment::footprint() const {
  const std::size_t smaller = std::size_t{3} * wanted_.height * wanted_.width;
  return {.item_bytes = picture_bytes() + (training_ && is_random() ? smaller : 0)};
}

bool Augment::is_random() const {
  return params_.rotation > 0 || params_.width_shift > 0 || params_.height_shift > 0 ||
         params_.shear > 0 || params_.zoom.low != 1 || params_.zoom.high != 1 ||
         params_.horizontal_flip || params_.vertical_flip;
}

KerasTransform Augment::Draw(std::uint64_t epoch, std::uint64_t index) const {
  if (params_.variants > 0) epoch %= params_.variants;
  CounterRandom random(seed_, "augment", epoch, index);
  const auto either_way = [&random](double most) { return random.Uniform(-most, most); };
  KerasTransform drawn;
  drawn.theta = either_way(params_.rotation);
  drawn.ty = either_way(params_.height_shift) * params_.size.height;
  drawn.tx = either_way(params_.width_shift) * params_.size.width;
  drawn.shear = either_way(params_.shear);
  drawn.zx = random.Uniform(params_.zoom.low, params_.zoom.high);
  drawn.zy = random.Uniform(params_.zoom.low, params_.zoom.high);
  drawn.flip_horizontal = (random.Uniform() < 0.5) & params_.horizontal_flip;
  drawn.flip_vertical = (random.Uniform() < 0.5) & params_.vertical_flip;
  return drawn;
}

std::optional<std::string> Augment::DependsOn(const Pass& pass, std::uint64_t index) const {
  std::ostringstream text;
  text << std::hexfloat << params_.size.height << "x" << params_.size.width;
  if (varies(pass.split)) {
    const KerasTransform drawn = Draw(pass.epoch, index);
    text << " theta " << drawn.theta << " tx " << drawn.tx << " ty " << drawn.ty << " shear "
         << drawn.shear << " zx " << drawn.zx << " zy " << drawn.zy << " flips "
         << drawn.flip_horizontal << drawn.flip_vertical;
  }
  return text.str();
}

int Augment::variants(Split split) const { return varies(split) ? params_.variants : 1; }

Outcome<Image> Augment::Map(const Image& image, StageContext& context) {
  const auto [height, width] = params_.size;
  Image out{image.sample, height, width, AlignedBuffer<std::uint8_t>(picture_bytes())};
  KerasTransform drawn;
  if (varies(context.pass().split)) drawn = Draw(context.pass().epoch, out.sample.index);
  if (OnlyFlips(drawn)) {
    Resize(image.view(), out.view(), {drawn.flip_horizontal, drawn.flip_vertical});
    return out;
  }
  Affine map =
      Compose(ResizeMap(image.height, image.width, height, width), KerasMap(drawn, height, width));
  // Where pixels of the result lie further apart than the source's, that is made smaller first.
  const int rows = Shrunk(image.height, std::hypot(map.yx, map.yy));
  const int columns = Shrunk(image.width, std::hypot(map.xx, map.xy));
  if (rows == image.height && columns == image.width) {
    Warp(image.view(), map, out.view());
    return out;
  }
  AlignedBuffer<std::uint8_t> pixels(std::size_t{3} * rows * columns);
  const MutablePixelView smaller(pixels.data(), rows, columns);
  Resize(image.view(), smaller);
  map = Compose(ResizeMap(rows, columns, image.height, image.width), map);
  Warp(smaller, map, out.view());
  return out;
}

}  // namespace weir
