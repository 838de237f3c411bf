#include "stages/augment/crops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <sstream>
#include <utility>

#include "stages/kernels/resize.h"

namespace weir {
namespace {

ItemSpec PicturesOf(const PictureSize& size) {
  return {.dims = {size.height, size.width, 3},
          .item_bytes = std::size_t{3} * size.height * size.width};
}

}  // namespace

std::optional<Box> DrawPart(CounterRandom& random, int height, int width,
                            const std::array<double, 2>& scale, const std::array<double, 2>& ratio,
                            int margin) {
  constexpr int kAttempts = 10;
  const double area = static_cast<double>(height) * width;
  const auto begin = [&random](int from, int part) {
    return static_cast<int>(random.Below(static_cast<std::uint64_t>(from - part) + 1));
  };
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double target = area * random.Uniform(scale[0], scale[1]);
    const double wide = std::exp(random.Uniform(std::log(ratio[0]), std::log(ratio[1])));
    const int columns = static_cast<int>(std::nearbyint(std::sqrt(target * wide)));
    const int rows = static_cast<int>(std::nearbyint(std::sqrt(target / wide)));
    if (columns < 1 || rows < 1 || columns > width - margin || rows > height - margin) continue;
    const int top = begin(height, rows);
    return Box{top, begin(width, columns), rows, columns};
  }
  return std::nullopt;
}

ItemSpec CenterCrop::output() const { return PicturesOf(params_.size); }

// torchvision rounds halves to even, and pads the odd pixel behind.
Box CenterCrop::Of(int height, int width, const PictureSize& size) {
  const auto begin = [](int from, int to) {
    return to > from ? -((to - from) / 2) : static_cast<int>(std::nearbyint((from - to) / 2.0));
  };
  return {begin(height, size.height), begin(width, size.width), size.height, size.width};
}

Outcome<Image> CenterCrop::Map(const Image& image, StageContext&) {
  const Box box = Of(image.height, image.width, params_.size);
  Image out{image.sample, box.height, box.width, AlignedBuffer<std::uint8_t>(output().item_bytes)};
  std::memset(out.pixels.data(), 0, out.pixels.bytes());
  const int left = std::max(box.left, 0);
  const int columns = std::min(image.width, box.left + box.width) - left;
  for (int row = 0; row < box.height; ++row) {
    const int from = box.top + row;
    if (from < 0 || from >= image.height) continue;
    std::memcpy(out.view().row(row) + std::size_t{3} * (left - box.left),
                image.view().row(from) + std::size_t{3} * left, std::size_t{3} * columns);
  }
  return out;
}

std::optional<std::string> CenterCrop::DependsOn(const Pass&, std::uint64_t) const {
  return std::to_string(params_.size.height) + "x" + std::to_string(params_.size.width);
}

void RandomResizedCrop::Params::Check(const Blame& blame) const {
  if (scale[0] > scale[1]) blame("scale", "`scale` takes the smaller number first");
  if (ratio[0] > ratio[1]) blame("ratio", "`ratio` takes the smaller number first");
}

RandomResizedCrop::RandomResizedCrop(const Params& params, BuildContext& context)
    : params_(params), seed_(context.seed) {
  if (!context.upstream.dims.empty()) return;
  // A part of that area is so much longer than the picture's sides would be.
  const double times = 1 / std::sqrt(context.training ? params_.scale[0] : 1.0);
  context.resources.Put(std::make_shared<WantedSize>(
      WantedSize{static_cast<int>(std::ceil(params_.size.height * times)),
                 static_cast<int>(std::ceil(params_.size.width * times))}));
}

ItemSpec RandomResizedCrop::output() const { return PicturesOf(params_.size); }

Box RandomResizedCrop::Draw(int height, int width, std::uint64_t epoch, std::uint64_t index) const {
  CounterRandom random(seed_, kName, epoch, index);
  return DrawPart(random, height, width, params_.scale, params_.ratio)
      .value_or(Middle(height, width, params_.ratio[0], params_.ratio[1]));
}

Box RandomResizedCrop::Middle(int height, int width, double least_ratio, double most_ratio) {
  const double ratio = static_cast<double>(width) / height;
  Box box{0, 0, height, width};
  if (ratio < least_ratio) {
    box.height = std::max(1, static_cast<int>(std::nearbyint(width / least_ratio)));
  } else if (ratio > most_ratio) {
    box.width = std::max(1, static_cast<int>(std::nearbyint(height * most_ratio)));
  }
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

Outcome<Image> RandomResizedCrop::Map(const Image& image, StageContext& context) {
  const auto [height, width] = params_.size;
  const Pass& pass = context.pass();
  const double ratio = static_cast<double>(width) / height;
  const Box box = pass.split == Split::kTrain
                      ? Draw(image.height, image.width, pass.epoch, image.sample.index)
                      : Middle(image.height, image.width, ratio, ratio);
  Image out{image.sample, height, width, AlignedBuffer<std::uint8_t>(output().item_bytes)};
  Resize(image.view().Part(box.top, box.left, box.height, box.width), out.view());
  return out;
}

std::optional<std::string> RandomResizedCrop::DependsOn(const Pass& pass,
                                                        std::uint64_t index) const {
  std::ostringstream text;
  text << std::hexfloat << params_.size.height << "x" << params_.size.width;
  if (pass.split == Split::kTrain) {
    text << " seed " << seed_ << " epoch " << pass.epoch << " sample " << index << " scale "
         << params_.scale[0] << " " << params_.scale[1] << " ratio " << params_.ratio[0] << " "
         << params_.ratio[1];
  }
  return text.str();
}

}  // namespace weir
