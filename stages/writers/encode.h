// The stage `encode`: pictures of one size to JPEG, PNG or WebP, for a sink that writes files.
//
// Map() runs on many threads and reads only its own picture.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/payloads.h"
#include "stages/writers/picture_encoder.h"

namespace weir {

template <>
struct EnumNames<PictureFormat> {
  static constexpr std::array kNames{std::pair{"jpeg", PictureFormat::kJpeg},
                                     std::pair{"png", PictureFormat::kPng},
                                     std::pair{"webp", PictureFormat::kWebp}};
};

class Encode final : public ReadingMapStage<Image, EncodedImage> {
 public:
  static constexpr std::string_view kName = "encode";
  static constexpr std::string_view kDoc = "Encodes pictures of one size as JPEG, PNG or WebP.";

  struct Params {
    PictureFormat format = PictureFormat::kJpeg;
    int quality = 90;

    static auto Fields() {
      return std::tuple{Field{"format", &Params::format, "Of the files."},
                        Field{"quality", &Params::quality, "Of a JPEG or a WebP.", Range{1, 100}}};
    }
  };

  // Throws Error(kConfig) where the size of what arrives is not fixed.
  Encode(const Params& params, BuildContext& context);

  Footprint footprint() const override;
  Outcome<EncodedImage> Map(const Image& image, StageContext& context) override;

 private:
  const Params params_;
  std::size_t item_bytes_ = 0;
};

}  // namespace weir
