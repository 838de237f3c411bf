#include "stages/gif_frame.h"

#include <cstdint>

namespace weir {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;
constexpr unsigned kFrame = 0x2c, kExtension = 0x21, kTrailer = 0x3b;

// A GIF in memory that is read from the file as far as it is looked at.
class GrowingGif {
 public:
  GrowingGif(const FileBytes& file, std::vector<unsigned char>& bytes)
      : file_(file), bytes_(bytes) {
    bytes_.clear();
    bytes_.reserve(file.size() + 1);
  }

  bool Has(std::size_t at) {
    while (at >= bytes_.size()) {
      const std::size_t had = bytes_.size();
      const std::size_t count = std::min<std::uint64_t>(kChunkBytes, file_.size() - had);
      bytes_.resize(had + count);
      if (count == 0 || file_.ReadSome(had, bytes_.data() + had, count) != count) return false;
    }
    return true;
  }
  unsigned operator[](std::size_t at) const { return bytes_[at]; }

 private:
  const FileBytes& file_;
  std::vector<unsigned char>& bytes_;
};

bool SkipSubBlocks(GrowingGif& gif, std::size_t& at) {
  while (gif.Has(at)) {
    const unsigned length = gif[at];
    at += 1 + length;
    if (length == 0) return true;
  }
  return false;
}

std::size_t TableBytes(unsigned flags) { return flags & 0x80 ? 3u << ((flags & 7) + 1) : 0; }

}  // namespace

bool ReadFirstGifFrame(const FileBytes& file, std::vector<unsigned char>& bytes) {
  GrowingGif gif(file, bytes);
  if (!gif.Has(12)) return false;
  std::size_t at = 13 + TableBytes(gif[10]);
  while (gif.Has(at)) {
    const bool frame = gif[at] == kFrame;
    if (!frame && gif[at] != kExtension) return false;
    if (frame && !gif.Has(at + 9)) return false;
    at += frame ? 11 + TableBytes(gif[at + 9]) : 2;
    if (!SkipSubBlocks(gif, at)) return false;
    if (!frame) continue;
    bytes.resize(at);
    bytes.push_back(kTrailer);
    return true;
  }
  return false;
}

}  // namespace weir
