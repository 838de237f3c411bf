#include "stages/decode/pnm/pnm_decoder.h"

#include <algorithm>
#include <string>
#include <vector>

#include "stages/decode/picture/byte_stream.h"
#include "stages/decode/picture/picture_rows.h"
#include "stages/decode/pnm/pnm_header.h"

namespace weir {
namespace {

// The samples of a PNM, row by row, from 0 to 255.
class PnmRows {
 public:
  PnmRows(const FileBytes& file, const PnmHeader& header)
      : header_(header),
        bytes_(file, header.pixels_at),
        samples_(std::size_t(header.width) * header.channels) {}

  // [width, 3]. False where the file ends, or has what is no sample: reason() then says more.
  bool Read(std::uint8_t* rgb) {
    if (!ReadRow()) return false;
    for (int x = 0; x < header_.width; ++x, rgb += 3) {
      const std::uint8_t* from = &samples_[std::size_t(x) * header_.channels];
      for (int i = 0; i < 3; ++i) rgb[i] = from[header_.channels == 3 ? i : 0];
    }
    return true;
  }
  const std::string& reason() const { return reason_; }

 private:
  bool ReadRow() {
    if (header_.text) return ReadSamples();
    if (header_.bits) return ReadBits();
    if (header_.brightest != 255) return ReadSamples();
    return bytes_.Read(samples_.data(), samples_.size()) == samples_.size();
  }

  bool ReadBits() {
    int byte = 0;
    for (std::size_t x = 0; x < samples_.size(); ++x) {
      if (x % 8 == 0) byte = bytes_.Next();
      if (byte < 0) return false;
      samples_[x] = byte & (0x80 >> x % 8) ? 0 : 255;
    }
    return true;
  }

  bool ReadSamples() {
    const int brightest = header_.brightest;
    for (std::uint8_t& sample : samples_) {
      const int value = header_.text ? NextNumber() : NextBytes();
      if (value < 0) return false;
      // Rounded to the nearest.
      const int seen =
          brightest == 255
              ? value
              : static_cast<int>((std::int64_t{value} * 255 + brightest / 2) / brightest);
      sample = static_cast<std::uint8_t>(header_.bits ? 255 - seen : seen);
    }
    return true;
  }

  // The next sample of one byte or two; one above the brightest is as bright. -1 at the end.
  int NextBytes() {
    int value = bytes_.Next();
    if (header_.brightest > 255 && value >= 0) {
      const int low = bytes_.Next();
      value = low < 0 ? low : value << 8 | low;
    }
    return std::min(value, header_.brightest);
  }

  // The first byte that is neither blank nor in a comment; -1 at the end.
  int PassBlanks() {
    bool comment = false;
    for (int byte = bytes_.Next();; byte = bytes_.Next()) {
      if (byte < 0) return -1;
      comment = comment ? byte != '\n' && byte != '\r' : byte == '#';
      if (!comment && !IsPnmBlank(byte)) return byte;
    }
  }

  // The next sample of a text; that of a PBM has one digit, and nothing need end it. -1 where there
  // is none.
  int NextNumber() {
    int value = 0;
    for (int byte = PassBlanks(); byte >= 0; byte = bytes_.Next()) {
      if (byte < '0' || byte > '9') {
        return Fail("is corrupt: something that is no number stands among its pixels");
      }
      value = 10 * value + (byte - '0');
      if (value > header_.brightest) {
        return Fail("is corrupt: a sample above its brightest, " +
                    std::to_string(header_.brightest));
      }
      const int next = header_.bits ? -1 : bytes_.Peek();
      if (next < 0 || next == '#' || IsPnmBlank(next)) return value;
    }
    return -1;
  }

  int Fail(std::string reason) {
    reason_ = std::move(reason);
    return -1;
  }

  const PnmHeader header_;
  ByteStream bytes_;
  std::vector<std::uint8_t> samples_;
  std::string reason_;
};

Outcome<Image> DecodePnm(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  PnmHeader pnm;
  if (std::string wrong = ReadPnmHeader(file, pnm); !wrong.empty()) return Drop{"", wrong};
  if (pnm.width != header.width || pnm.height != header.height) {
    return Drop{"", "was written to while it was read"};
  }
  PictureRows rows(pnm.width, pnm.height, ShrinkFor(pnm.width, pnm.height, wanted), 1);
  PnmRows pnm_rows(file, pnm);
  std::vector<std::uint8_t> rgb(std::size_t{3} * pnm.width);
  for (int y = 0; y < pnm.height; ++y) {
    if (!pnm_rows.Read(rgb.data())) {
      if (!pnm_rows.reason().empty()) return Drop{"", pnm_rows.reason()};
      return Drop{
          "", "is truncated after row " + std::to_string(y) + " of " + std::to_string(pnm.height)};
    }
    rows.Add(rgb.data());
  }
  return rows.Take();
}

std::size_t PnmDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  return sizeof(PnmRows) + 8192 + 6 * static_cast<std::size_t>(header.width) +
         PictureRows::Bytes(header.width, header.height,
                            ShrinkFor(header.width, header.height, wanted));
}

constexpr std::string_view kEndings[] = {".ppm"};

}  // namespace

constinit const ImageFormat kPnmFormat = {
    .name = "PNM",
    .endings = kEndings,
    .matches = &IsPnm,
    .read_header = &ParsePnmHeader,
    .decode = &DecodePnm,
    .decoder_bytes = &PnmDecoderBytes,
};

}  // namespace weir
