// Files to pictures: sRGB, 8 bits, upright, no larger than they need be, never whole in memory
// where their format lets rows be read one after the other.
//
//   - decode: {max_megapixels: 200}
//
// The formats are those of formats.h, told by their content; of animations and many pages the first
// is read. A picture that is cut off, corrupt or of another kind is a Drop that says so; where its
// server fails, the run ends. The orientation that the file states is applied (orientation.h). If
// a later stage says what size it wants (WantedSize), the picture is shrunk by whole numbers while
// it is decoded, to no less than that in both axes. Alpha is left out without blending, colour
// profiles are not applied: both as Keras does it. Samples of 16 bits give their upper 8 (Pillow
// clips grey ones at 255).
//
// Map() runs on many threads at once, each in itself: no threads are started.
//
// What it holds of an item is worked out from the file's header, by AdmissionBytes(). Beside the
// shrunk picture that is some rows of the decoded one, except where the format forces more: 2 bytes
// a coefficient for a progressive JPEG, all rows of an interlaced PNG or GIF, all pixels and prefix
// codes of a lossless WebP, all pixels of a frame that is a part of its canvas, a strip or a row of
// tiles of a TIFF. What the file alone decides is read from it: no decoder allocates more than is
// admitted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

class Decode final : public ReadingMapStage<ImageFile, Image> {
 public:
  static constexpr std::string_view kName = "decode";
  static const std::string kDoc;  // names the formats

  struct Params {
    int max_megapixels = 200;
    static auto Fields() {
      return std::tuple{Field{"max_megapixels", &Params::max_megapixels, "Refuse larger pictures.",
                              Range{1, 2000}}};
    }
  };

  Decode(const Params& params, BuildContext& context);

  // An item takes what a photo of 12 megapixels, a baseline JPEG, does; one may need 8 MiB.
  Footprint footprint() const override;
  void Open(OpenContext&) override;

  // Why a picture will be dropped, as far as its header tells; empty where it tells nothing. Any
  // thread, also before Open(). Throws where the picture's source does.
  std::optional<std::string> WhyUnusable(const FilePart& picture) const;

  Outcome<std::size_t> AdmissionBytes(const ImageFile& file) override;
  Outcome<Image> Map(const ImageFile& file, StageContext&) override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override;

 private:
  Outcome<ImageHeader> ReadHeader(FileBytes& file) const;
  WantedSize wanted() const;

  const Params params_;
  const Resources& resources_;
  WantedSize wanted_;
};

}  // namespace weir
