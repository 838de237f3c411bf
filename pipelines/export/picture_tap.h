// Ends a pipeline ahead of the model: hands on the pictures that the model would have been fed, in
// the order of the pass.
//
//   pipeline.AddMade("check", [&](BuildContext&) {
//     return std::make_unique<PictureTap<Batch>>(consume);
//   }, from);
//
// Holds nothing. The function is called by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "framework/flow/stage.h"
#include "stages/payloads.h"

namespace weir {

// Pictures of one size, [samples, height, width, 3] in bytes.
struct TappedPictures {
  std::span<const Sample> samples;
  int height = 0;
  int width = 0;
  std::span<const std::uint8_t> pixels;
};

using TapFunction = std::function<void(const TappedPictures&)>;

// In is Image or Batch.
template <class In>
class PictureTap final : public SinkStage<In> {
 public:
  explicit PictureTap(TapFunction tap) : tap_(std::move(tap)) {}

  void Consume(const In& in, StageContext&) override { tap_(Pictures(in)); }

 private:
  static TappedPictures Pictures(const Image& image) {
    return {{&image.sample, 1}, image.height, image.width, {image.pixels.data(), SizeOf(image, 1)}};
  }
  static TappedPictures Pictures(const Batch& batch) {
    return {batch.samples,
            batch.height,
            batch.width,
            {batch.pixels.data(), SizeOf(batch, batch.samples.size())}};
  }
  template <class Sized>
  static std::size_t SizeOf(const Sized& it, std::size_t pictures) {
    return pictures * 3 * static_cast<std::size_t>(it.height) * static_cast<std::size_t>(it.width);
  }

  const TapFunction tap_;
};

}  // namespace weir
