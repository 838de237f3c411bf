#include "stages/augment/color_stages.h"

#include <algorithm>
#include <span>
#include <sstream>
#include <utility>

#include "stages/kernels/photometric.h"

namespace weir {
namespace {

std::span<std::uint8_t> PixelsOf(Image& image) {
  return {image.pixels.data(), std::size_t{3} * image.height * image.width};
}

}  // namespace

std::array<ColorJitter::Change, 4> ColorJitter::Draw(std::uint64_t epoch,
                                                     std::uint64_t index) const {
  CounterRandom random(seed_, kName, epoch, index);
  const auto factor = [&random](double most) {
    return static_cast<float>(random.Uniform(std::max(0.0, 1 - most), 1 + most));
  };
  std::array<Change, 4> changes = {
      Change{Kind::kBrightness, factor(params_.brightness)},
      Change{Kind::kContrast, factor(params_.contrast)},
      Change{Kind::kSaturation, factor(params_.saturation)},
      Change{Kind::kHue, static_cast<float>(random.Uniform(-params_.hue, params_.hue))}};
  for (std::size_t i = changes.size(); i > 1; --i) {
    std::swap(changes[i - 1], changes[random.Below(i)]);
  }
  return changes;
}

Outcome<Image> ColorJitter::Map(Image image, StageContext& context) {
  if (context.pass().split != Split::kTrain) return image;
  const std::span<std::uint8_t> pixels = PixelsOf(image);
  for (const Change& change : Draw(context.pass().epoch, image.sample.index)) {
    switch (change.kind) {
      case Kind::kBrightness:
        if (params_.brightness > 0) AdjustBrightness(pixels, change.amount);
        break;
      case Kind::kContrast:
        if (params_.contrast > 0) AdjustContrast(pixels, change.amount);
        break;
      case Kind::kSaturation:
        if (params_.saturation > 0) AdjustSaturation(pixels, change.amount);
        break;
      case Kind::kHue:
        if (params_.hue > 0) AdjustHue(pixels, change.amount);
        break;
    }
  }
  return image;
}

std::optional<std::string> ColorJitter::DependsOn(const Pass& pass, std::uint64_t index) const {
  std::ostringstream text;
  if (pass.split == Split::kTrain) {
    text << std::hexfloat;
    for (const Change& change : Draw(pass.epoch, index)) {
      text << static_cast<int>(change.kind) << " " << change.amount << " ";
    }
  }
  return text.str();
}

bool GrayscaleStage::IsGrey(const Pass& pass, std::uint64_t index) const {
  if (params_.probability == 1) return true;
  if (pass.split != Split::kTrain) return false;
  return CounterRandom(seed_, kName, pass.epoch, index).Uniform() < params_.probability;
}

int GrayscaleStage::variants(Split split) const {
  const bool is_drawn =
      split == Split::kTrain && params_.probability > 0 && params_.probability < 1;
  return is_drawn ? 0 : 1;
}

Outcome<Image> GrayscaleStage::Map(Image image, StageContext& context) {
  if (IsGrey(context.pass(), image.sample.index)) Grayscale(PixelsOf(image));
  return image;
}

std::optional<std::string> GrayscaleStage::DependsOn(const Pass& pass, std::uint64_t index) const {
  return IsGrey(pass, index) ? "grey" : "";
}

void RandomErasing::Params::Check(const Blame& blame) const {
  if (scale[0] > scale[1]) blame("scale", "`scale` takes the smaller number first");
  if (ratio[0] > ratio[1]) blame("ratio", "`ratio` takes the smaller number first");
}

Box RandomErasing::Draw(int height, int width, std::uint64_t epoch, std::uint64_t index) const {
  CounterRandom random(seed_, kName, epoch, index);
  if (random.Uniform() >= params_.probability) return {};
  return DrawPart(random, height, width, params_.scale,
                  {1 / params_.ratio[1], 1 / params_.ratio[0]}, 1)
      .value_or(Box{});
}

Outcome<Image> RandomErasing::Map(Image image, StageContext& context) {
  if (context.pass().split != Split::kTrain) return image;
  const Box box = Draw(image.height, image.width, context.pass().epoch, image.sample.index);
  for (int row = box.top; row < box.top + box.height; ++row) {
    std::uint8_t* pixel = image.view().row(row) + std::size_t{3} * box.left;
    for (int column = 0; column < box.width; ++column) {
      for (const int value : params_.value) *pixel++ = static_cast<std::uint8_t>(value);
    }
  }
  return image;
}

std::optional<std::string> RandomErasing::DependsOn(const Pass& pass, std::uint64_t index) const {
  std::ostringstream text;
  if (pass.split == Split::kTrain) {
    text << std::hexfloat << "seed " << seed_ << " epoch " << pass.epoch << " sample " << index
         << " probability " << params_.probability << " scale " << params_.scale[0] << " "
         << params_.scale[1] << " ratio " << params_.ratio[0] << " " << params_.ratio[1]
         << " value " << params_.value[0] << " " << params_.value[1] << " " << params_.value[2];
  }
  return text.str();
}

}  // namespace weir
