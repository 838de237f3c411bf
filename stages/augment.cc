#include "stages/augment.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "framework/random.h"
#include "stages/warp.h"

namespace weir {

Augment::Augment(const Params& params, BuildContext& context)
    : params_(params), seed_(context.seed) {
  const double closest = std::min(params_.zoom.low, 1.0);
  WantedSize wanted;
  wanted.height = static_cast<int>(std::ceil(params_.size[0] / closest));
  wanted.width = static_cast<int>(std::ceil(params_.size[1] / closest));
  context.resources.Put(std::make_shared<WantedSize>(wanted));
}

std::size_t Augment::picture_bytes() const {
  return std::size_t{3} * params_.size[0] * params_.size[1];
}

ItemSpec Augment::output() const {
  return {.dims = {params_.size[0], params_.size[1], 3}, .item_bytes = picture_bytes()};
}

Footprint Augment::footprint() const { return {.item_bytes = picture_bytes()}; }

bool Augment::is_random() const {
  return params_.rotation > 0 || params_.width_shift > 0 || params_.height_shift > 0 ||
         params_.shear > 0 || params_.zoom.low != 1 || params_.zoom.high != 1 ||
         params_.horizontal_flip || params_.vertical_flip;
}

KerasTransform Augment::Draw(std::uint64_t epoch, std::uint64_t index) const {
  CounterRandom random(seed_, "augment", epoch, index);
  const auto either_way = [&random](double most) { return random.Uniform(-most, most); };
  KerasTransform drawn;
  drawn.theta = either_way(params_.rotation);
  drawn.ty = either_way(params_.height_shift) * params_.size[0];
  drawn.tx = either_way(params_.width_shift) * params_.size[1];
  drawn.shear = either_way(params_.shear);
  drawn.zx = random.Uniform(params_.zoom.low, params_.zoom.high);
  drawn.zy = random.Uniform(params_.zoom.low, params_.zoom.high);
  drawn.flip_horizontal = (random.Uniform() < 0.5) & params_.horizontal_flip;
  drawn.flip_vertical = (random.Uniform() < 0.5) & params_.vertical_flip;
  return drawn;
}

Outcome<Image> Augment::Map(Image image, StageContext& context) {
  const auto [height, width] = params_.size;
  Affine map = ResizeMap(image.height, image.width, height, width);
  if (is_random() && context.pass().split == Split::kTrain) {
    const KerasTransform drawn = Draw(context.pass().epoch, image.sample.index);
    map = Compose(map, KerasMap(drawn, height, width));
  }
  Image out{std::move(image.sample), height, width, AlignedBuffer<std::uint8_t>(picture_bytes())};
  Warp(image.pixels.data(), image.height, image.width, map, out.pixels.data(), height, width);
  return out;
}

}  // namespace weir
