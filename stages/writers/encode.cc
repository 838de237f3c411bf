#include "stages/writers/encode.h"

#include "framework/error.h"

namespace weir {

Encode::Encode(const Params& params, BuildContext& context) : params_(params) {
  const auto& dims = context.upstream.dims;
  if (dims.size() != 3) {
    throw Error(ErrorKind::kConfig, "encode: the pictures that arrive have no fixed size",
                "Put `augment: {size: [224, 224]}` before it.");
  }
  item_bytes_ = EncoderBytes(static_cast<int>(dims[0]), static_cast<int>(dims[1]));
}

Footprint Encode::footprint() const { return {.item_bytes = item_bytes_}; }

Outcome<EncodedImage> Encode::Map(const Image& image, StageContext&) {
  return EncodedImage{
      .sample = image.sample,
      .ending = EndingOf(params_.format),
      .content = EncodePicture({image.pixels.data(), image.pixels.size()}, image.height,
                               image.width, params_.format, params_.quality)};
}

}  // namespace weir
