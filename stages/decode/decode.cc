#include "stages/decode/decode.h"

#include <cstdio>
#include <utility>

#include "framework/byte_size.h"
#include "stages/decode/formats.h"

namespace weir {
namespace {

// The room for one picture under the smallest ceiling that is accepted: a progressive JPEG or an
// interlaced PNG of a megapixel still gets in. Larger ones take what a higher ceiling leaves over,
// or are dropped by name.
constexpr std::size_t kRoomForAPicture = std::size_t{8} << 20;

ImageHeader TypicalPhoto() {
  ImageHeader photo;
  photo.format = ImageFormats().front();
  photo.width = 4032;
  photo.height = 3024;
  photo.channels = 3;
  return photo;
}

std::size_t DecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  return header.format->decoder_bytes(header, wanted);
}

}  // namespace

const std::string Decode::kDoc =
    "Decodes pictures: " + ImageFormatNames("and") + ", upright, shrunk on the way.";

Decode::Decode(const Params& params, BuildContext& context)
    : params_(params), resources_(context.resources) {}

WantedSize Decode::wanted() const {
  const auto wanted = resources_.Find<WantedSize>();
  return wanted && wanted->stages >= consumers() ? *wanted : WantedSize{};
}

Footprint Decode::footprint() const {
  Footprint footprint;
  footprint.item_bytes = DecoderBytes(TypicalPhoto(), wanted());
  footprint.largest_item_bytes = kRoomForAPicture;
  return footprint;
}

std::optional<std::string> Decode::DependsOn(const Pass&, std::uint64_t) const {
  const WantedSize size = wanted();
  std::string text = "wanted " + std::to_string(size.height) + "x" + std::to_string(size.width);
  const char* before = " by ";
  for (const ImageFormat* format : ImageFormats()) {
    if (!format->library) continue;
    text += std::exchange(before, ", ") + format->library();
  }
  return text;
}

void Decode::Open(OpenContext&) {
  for (const ImageFormat* format : ImageFormats()) {
    if (format->start) format->start();
  }
  wanted_ = wanted();
}

Outcome<ImageHeader> Decode::ReadHeader(FileBytes& file) const {
  Outcome<ImageHeader> header = ReadImageHeader(file);
  file.RethrowFailure();
  if (const std::string failure = file.failure(); !failure.empty()) return Drop{"", failure};
  if (const ImageHeader* read = std::get_if<ImageHeader>(&header)) {
    const double megapixels = static_cast<double>(read->width) * read->height / 1e6;
    if (megapixels > params_.max_megapixels) {
      char text[96];
      std::snprintf(text, sizeof text, "has %.1f megapixels, above max_megapixels: %d", megapixels,
                    params_.max_megapixels);
      return Drop{"", text};
    }
  }
  return header;
}

std::optional<std::string> Decode::WhyUnusable(const FilePart& picture) const {
  Outcome<FileBytes> bytes = FileBytes::Open(picture);
  if (const Drop* drop = std::get_if<Drop>(&bytes)) return drop->reason;
  const Outcome<ImageHeader> header = ReadHeader(std::get<FileBytes>(bytes));
  if (const Drop* drop = std::get_if<Drop>(&header)) return drop->reason;
  return std::nullopt;
}

Outcome<std::size_t> Decode::AdmissionBytes(const ImageFile& file) {
  Outcome<FileBytes> bytes = FileBytes::Open(file.content());
  if (Drop* drop = std::get_if<Drop>(&bytes)) return Drop{file.sample.path, drop->reason};
  Outcome<ImageHeader> header = ReadHeader(std::get<FileBytes>(bytes));
  if (Drop* drop = std::get_if<Drop>(&header)) return Drop{file.sample.path, drop->reason};
  return DecoderBytes(std::get<ImageHeader>(header), wanted_);
}

Outcome<Image> Decode::Map(const ImageFile& file, StageContext& context) {
  Outcome<FileBytes> bytes = FileBytes::Open(file.content());
  if (Drop* drop = std::get_if<Drop>(&bytes)) return Drop{file.sample.path, drop->reason};
  FileBytes& opened = std::get<FileBytes>(bytes);
  Outcome<ImageHeader> header = ReadHeader(opened);
  if (Drop* drop = std::get_if<Drop>(&header)) return Drop{file.sample.path, drop->reason};
  const ImageHeader& read = std::get<ImageHeader>(header);
  const std::size_t bytes_needed = DecoderBytes(read, wanted_);
  if (bytes_needed > context.granted_bytes()) {
    return Drop{file.sample.path, "was exchanged while it waited: it needs " +
                                      ToRoundText(ByteSize{bytes_needed}) + " now, and " +
                                      ToRoundText(ByteSize{context.granted_bytes()}) +
                                      " are set aside for it"};
  }
  Outcome<Image> outcome = read.format->decode(opened, read, wanted_);
  opened.RethrowFailure();
  if (const std::string failure = opened.failure(); !failure.empty()) {
    return Drop{file.sample.path, failure};
  }
  if (!opened.IsUnchanged()) return Drop{file.sample.path, "was written to while it was read"};
  if (Drop* drop = std::get_if<Drop>(&outcome)) return Drop{file.sample.path, drop->reason};
  std::get<Image>(outcome).sample = file.sample;
  return outcome;
}

}  // namespace weir
