#include "stages/decode/gif/gif_decoder.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "stages/decode/gif/gif_frame.h"
#include "stages/decode/gif/gif_lzw.h"
#include "stages/decode/picture/picture_rows.h"

namespace weir {
namespace {

// The rows of a frame, top to bottom, whatever their order in the file.
class FrameRows {
 public:
  FrameRows(const FileBytes& file, const GifFrame& frame)
      : frame_(frame), lzw_(std::make_unique<GifLzw>(file, frame.data_at)) {
    row_.resize(frame.width);
    if (!frame.interlaced) return;
    all_.resize(std::size_t(frame.width) * frame.height);
    struct Pass {
      int first, step;
    };
    for (const Pass pass : {Pass{0, 8}, Pass{4, 8}, Pass{2, 4}, Pass{1, 2}}) {
      for (int y = pass.first; y < frame.height && complete_; y += pass.step) {
        complete_ = ReadRow(all_.data() + std::size_t(y) * frame.width);
      }
    }
  }

  // Null where the file has no more, or something else; see Reason().
  const std::uint8_t* Next() {
    if (!frame_.interlaced) return ReadRow(row_.data()) ? row_.data() : nullptr;
    return complete_ ? all_.data() + std::size_t(given_++) * frame_.width : nullptr;
  }

  std::string Reason() const {
    if (lzw_->is_corrupt()) return "is corrupt: an LZW code that cannot be";
    return "is truncated after row " + std::to_string(read_) + " of " +
           std::to_string(frame_.height);
  }

 private:
  bool ReadRow(std::uint8_t* row) {
    if (lzw_->Read(row, row_.size()) != row_.size()) return false;
    ++read_;
    return true;
  }

  const GifFrame& frame_;
  const std::unique_ptr<GifLzw> lzw_;
  std::vector<std::uint8_t> row_;
  std::vector<std::uint8_t> all_;  // an interlaced frame's pixels
  bool complete_ = true;
  int read_ = 0, given_ = 0;
};

Outcome<Image> DecodeGif(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  GifFrame frame;
  if (std::string wrong = FindGifFrame(file, frame); !wrong.empty()) return Drop{"", wrong};
  if (frame.canvas_width != header.width || frame.canvas_height != header.height) {
    return Drop{"", "was written to while it was read"};
  }
  FrameRows frame_rows(file, frame);
  PictureRows rows(header.width, header.height, ShrinkFor(header.width, header.height, wanted), 1);
  std::vector<std::uint8_t> rgb(std::size_t{3} * header.width);
  const std::uint8_t* const around = &frame.palette[std::size_t{3} * frame.around];
  const auto fill = [&rgb, around] {
    for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = around[i % 3];
  };
  fill();
  for (int y = 0; y < header.height; ++y) {
    if (y >= frame.top && y < frame.top + frame.height) {
      const std::uint8_t* const indices = frame_rows.Next();
      if (!indices) return Drop{"", frame_rows.Reason()};
      std::uint8_t* to = rgb.data() + std::size_t{3} * frame.left;
      for (int x = 0; x < frame.width; ++x, to += 3) {
        const std::uint8_t* colour = &frame.palette[std::size_t{3} * indices[x]];
        to[0] = colour[0];
        to[1] = colour[1];
        to[2] = colour[2];
      }
    } else if (y == frame.top + frame.height) {
      fill();
    }
    rows.Add(rgb.data());
  }
  return rows.Take();
}

std::size_t GifDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  return sizeof(GifLzw) + sizeof(GifFrame) + 8192 + header.held_bytes +
         4 * static_cast<std::size_t>(header.width) +
         PictureRows::Bytes(header.width, header.height,
                            ShrinkFor(header.width, header.height, wanted));
}

constexpr std::string_view kEndings[] = {".gif"};

}  // namespace

constinit const ImageFormat kGifFormat = {
    .name = "GIF",
    .endings = kEndings,
    .matches =
        [](const FirstBytes& bytes) {
          return HoldsAt(bytes, 0, "GIF87a") || HoldsAt(bytes, 0, "GIF89a");
        },
    .read_header = &ParseGifHeader,
    .decode = &DecodeGif,
    .decoder_bytes = &GifDecoderBytes,
};

}  // namespace weir
