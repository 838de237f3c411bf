#include "stages/batch/batch.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "framework/error.h"
#include "stages/ranks/ranks.h"

namespace weir {
namespace {

constexpr const char* kRemedy = "Put `augment: {size: [224, 224]}` before `batch`.";

// A sample, its path, which is seldom longer, and what it may be mixed of.
constexpr std::size_t kSampleBytes = sizeof(Sample) + 256;

std::string SizeText(int height, int width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

}  // namespace

BatchImages::BatchImages(const Params& params, BuildContext& context)
    : params_(params), share_(RankShare::Alone(params.size)) {
  if (const auto ranks = context.resources.Find<Ranks>()) share_ = ranks->share;
  const Shape& dims = context.upstream.dims;
  if (dims.size() != 3) {
    throw Error(ErrorKind::kConfig, "batch: the pictures that arrive have no fixed size", kRemedy);
  }
  height_ = static_cast<int>(dims[0]);
  width_ = static_cast<int>(dims[1]);
  context.resources.Put(std::make_shared<Batching>(Batching{params_.size, params_.drop_last}));
}

ItemSpec BatchImages::output() const {
  const auto size = static_cast<std::size_t>(share_.size());
  return {.dims = {share_.size(), height_, width_, 3},
          .item_bytes = size * (std::size_t{3} * height_ * width_ + kSampleBytes)};
}

Footprint BatchImages::footprint() const { return {.item_bytes = output().item_bytes}; }

std::vector<Lowerable> BatchImages::lowerable() const {
  if (params_.size == 1) return {};
  Lowerable size{.parameter = "size",
                 .now = std::to_string(params_.size),
                 .values = {},
                 .alters = Lowerable::Alters::kLearning};
  for (int fewer = params_.size / 2; fewer >= 1; fewer /= 2) {
    size.values.push_back(std::to_string(fewer));
  }
  return {std::move(size)};
}

void BatchImages::BeginPass(const Pass& pass) {
  first_order_ = pass.first_sample;
  batch_ = Batch();
}

std::optional<Batch> BatchImages::Add(const Image& image, StageContext& context) {
  if (image.height != height_ || image.width != width_) {
    throw Error(ErrorKind::kConfig,
                "batch: '" + image.sample.path + "' arrives as " +
                    SizeText(image.height, image.width) + " pixels, not " +
                    SizeText(height_, width_),
                kRemedy);
  }
  const std::size_t picture_bytes = std::size_t{3} * height_ * width_;
  if (batch_.samples.empty()) {
    const std::uint64_t windows = (context.order() - first_order_) / share_.size();
    end_order_ = first_order_ + (windows + 1) * share_.size();
    batch_.height = height_;
    batch_.width = width_;
    batch_.samples.reserve(share_.size());
    batch_.pixels = AlignedBuffer<std::uint8_t>(share_.size() * picture_bytes);
  }
  std::memcpy(batch_.pixels.data() + batch_.samples.size() * picture_bytes, image.pixels.data(),
              picture_bytes);
  batch_.samples.push_back(image.sample);
  batch_.samples.back().order = first_order_ + share_.OrderOf(context.order() - first_order_);
  if (context.order() + 1 < end_order_) return std::nullopt;
  return std::exchange(batch_, Batch());
}

std::optional<Batch> BatchImages::Complete(StageContext& context) {
  if (context.order() < end_order_) return std::nullopt;
  return std::exchange(batch_, Batch());
}

std::optional<Batch> BatchImages::Flush(StageContext& context) {
  Batch rest = std::exchange(batch_, Batch());
  const bool is_dropped = params_.drop_last && context.pass().split == Split::kTrain;
  if (rest.samples.empty() || is_dropped) return std::nullopt;
  return rest;
}

}  // namespace weir
