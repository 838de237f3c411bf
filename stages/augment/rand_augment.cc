#include "stages/augment/rand_augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <sstream>
#include <utility>

#include "framework/error.h"
#include "framework/random.h"
#include "stages/kernels/nearest_warp.h"
#include "stages/kernels/photometric.h"
#include "stages/pixel_view.h"

namespace weir {
namespace {

using Operation = RandAugment::Operation;

bool HasSign(Operation operation) {
  return operation >= Operation::kShearX && operation <= Operation::kSharpness;
}

// The step of `bins` from `first` to `last`, as torch.linspace has it in float32: counted from the
// nearer end.
float Step(double first, double last, int step, int bins) {
  const auto from = static_cast<float>(first), to = static_cast<float>(last);
  const float width = (to - from) / static_cast<float>(bins - 1);
  return step < bins / 2 ? from + width * static_cast<float>(step)
                         : to - width * static_cast<float>(bins - 1 - step);
}

// What the strongest shift is, as a part of the side.
constexpr double kLargestShift = 150.0 / 331.0;

}  // namespace

void RandAugment::Params::Check(const Blame& blame) const {
  if (magnitude >= num_magnitude_bins) {
    blame("magnitude", "`magnitude` takes less than `num_magnitude_bins`, which is " +
                           std::to_string(num_magnitude_bins));
  }
}

RandAugment::RandAugment(const Params& params, BuildContext& context)
    : params_(params),
      upstream_(context.upstream),
      seed_(context.seed),
      training_(context.training) {
  if (upstream_.dims.empty()) {
    throw Error(ErrorKind::kConfig, "rand_augment: the pictures that arrive have no fixed size",
                "Put `random_resized_crop`, or `augment: {size: [224, 224]}`, before it.");
  }
}

// The second picture; the first is paid for where it was made.
Footprint RandAugment::footprint() const {
  if (!training_ || !changes(Split::kTrain)) return {};
  const std::int64_t pixels = upstream_.dims.at(0) * upstream_.dims.at(1);
  return {.item_bytes = std::max(upstream_.item_bytes, std::size_t{3} * pixels)};
}

std::vector<RandAugment::Drawn> RandAugment::Draw(std::uint64_t epoch, std::uint64_t index) const {
  CounterRandom random(seed_, kName, epoch, index);
  std::vector<Drawn> all(params_.num_ops);
  for (Drawn& drawn : all) {
    drawn.operation = static_cast<Operation>(random.Below(kOperations));
    const bool is_negative = random.Uniform() < 0.5;  // drawn for every operation
    drawn.is_negative = is_negative && HasSign(drawn.operation);
  }
  return all;
}

double RandAugment::Magnitude(const Drawn& drawn, int height, int width) const {
  const int bins = params_.num_magnitude_bins;
  const auto up_to = [&](double most) {
    const double size = Step(0, most, params_.magnitude, bins);
    return drawn.is_negative ? -size : size;
  };
  switch (drawn.operation) {
    case Operation::kShearX:
    case Operation::kShearY:
      return up_to(0.3);
    case Operation::kTranslateX:
      return std::trunc(up_to(kLargestShift * width));
    case Operation::kTranslateY:
      return std::trunc(up_to(kLargestShift * height));
    case Operation::kRotate:
      return up_to(30);
    case Operation::kBrightness:
    case Operation::kColor:
    case Operation::kContrast:
    case Operation::kSharpness:
      return up_to(0.9);
    case Operation::kPosterize: {
      const float each = static_cast<float>(bins - 1) / 4;
      return std::nearbyint(8 - static_cast<float>(params_.magnitude) / each);
    }
    case Operation::kSolarize:
      return Step(1, 0, params_.magnitude, bins);
    case Operation::kIdentity:
    case Operation::kAutoContrast:
    case Operation::kEqualize:
      break;
  }
  return 0;
}

// Pixels are sheared about the corner of the first one, and turned about the middle.
std::optional<Affine> RandAugment::MapOf(const Drawn& drawn, int height, int width) const {
  const double magnitude = Magnitude(drawn, height, width);
  switch (drawn.operation) {
    case Operation::kShearX:
      return Affine{.xy = magnitude, .x0 = magnitude / 2};
    case Operation::kShearY:
      return Affine{.yx = magnitude, .y0 = magnitude / 2};
    case Operation::kTranslateX:
      return Affine{.x0 = -magnitude};
    case Operation::kTranslateY:
      return Affine{.y0 = -magnitude};
    case Operation::kRotate: {
      const double angle = magnitude * std::numbers::pi / 180;
      const double cosine = std::cos(angle), sine = std::sin(angle);
      const double x = (width - 1) / 2.0, y = (height - 1) / 2.0;
      return Affine{cosine, -sine,  x - cosine * x + sine * y,
                    sine,   cosine, y - sine * x - cosine * y};
    }
    default:
      return std::nullopt;
  }
}

void RandAugment::Apply(const Drawn& drawn, Image& image,
                        AlignedBuffer<std::uint8_t>& spare) const {
  const int height = image.height, width = image.width;
  const std::span<std::uint8_t> pixels(image.pixels.data(), std::size_t{3} * height * width);
  const double magnitude = Magnitude(drawn, height, width);
  const auto factor = static_cast<float>(1 + magnitude);
  const auto into_spare = [&] {
    if (spare.size() == 0) spare = AlignedBuffer<std::uint8_t>(image.pixels.size());
    return MutablePixelView(spare.data(), height, width);
  };
  switch (drawn.operation) {
    case Operation::kIdentity:
      return;
    case Operation::kBrightness:
      return AdjustBrightness(pixels, factor);
    case Operation::kColor:
      return AdjustSaturation(pixels, factor);
    case Operation::kContrast:
      return AdjustContrast(pixels, factor);
    case Operation::kPosterize:
      return Posterize(pixels, static_cast<int>(magnitude));
    case Operation::kSolarize:
      return Solarize(pixels, static_cast<float>(255 * magnitude));
    case Operation::kAutoContrast:
      return AutoContrast(pixels);
    case Operation::kEqualize:
      return Equalize(pixels);
    case Operation::kSharpness:
      Sharpen(image.view(), factor, into_spare());
      break;
    case Operation::kShearX:
    case Operation::kShearY:
    case Operation::kTranslateX:
    case Operation::kTranslateY:
    case Operation::kRotate: {
      std::array<std::uint8_t, 3> fill;
      for (int c = 0; c < 3; ++c) fill[c] = static_cast<std::uint8_t>(params_.fill[c]);
      WarpNearest(image.view(), *MapOf(drawn, height, width), fill, into_spare());
      break;
    }
  }
  std::swap(image.pixels, spare);
}

Outcome<Image> RandAugment::Map(Image image, StageContext& context) {
  const Pass& pass = context.pass();
  if (!changes(pass.split)) return image;
  AlignedBuffer<std::uint8_t> spare;
  for (const Drawn& drawn : Draw(pass.epoch, image.sample.index)) Apply(drawn, image, spare);
  return image;
}

std::optional<std::string> RandAugment::DependsOn(const Pass& pass, std::uint64_t index) const {
  std::ostringstream text;
  if (changes(pass.split)) {
    text << "magnitude " << params_.magnitude << " of " << params_.num_magnitude_bins << " fill "
         << params_.fill[0] << " " << params_.fill[1] << " " << params_.fill[2];
    for (const Drawn& drawn : Draw(pass.epoch, index)) {
      text << (drawn.is_negative ? " -" : " ") << static_cast<int>(drawn.operation);
    }
  }
  return text.str();
}

}  // namespace weir
