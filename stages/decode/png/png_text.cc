#include "stages/decode/png/png_text.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace weir {
namespace {

constexpr std::size_t kMostTextBytes = 64 << 10;
constexpr std::size_t kMostFrontBytes = 256;  // the keyword has 79 at most, the languages are short

// Moves `front` behind the next zero byte and returns what was before it. False where there is
// none.
bool TakeWord(std::string_view& front, std::string_view& word) {
  const std::size_t end = front.find('\0');
  if (end == front.npos) return false;
  word = front.substr(0, end);
  front.remove_prefix(end + 1);
  return true;
}

std::string Inflated(const std::string& packed) {
  std::string text(kMostTextBytes, '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  inflate(&stream, Z_FINISH);  // what came before an error is text all the same
  text.resize(text.size() - stream.avail_out);
  inflateEnd(&stream);
  return text;
}

}  // namespace

PngText FindPngText(FileBytes& file, const char* tag, std::uint64_t begin, std::uint64_t length) {
  std::array<char, kMostFrontBytes> bytes;
  const std::size_t count = file.ReadSome(begin, bytes.data(), std::min(length, bytes.size()));
  std::string_view front(bytes.data(), count), keyword, other;
  if (!TakeWord(front, keyword)) return {};
  PngText found;
  if (std::memcmp(tag, "zTXt", 4) == 0) {
    if (front.empty() || front[0] != 0) return {};  // the one method is deflate
    front.remove_prefix(1);
    found.packed = true;
  } else if (std::memcmp(tag, "iTXt", 4) == 0) {
    if (front.size() < 2) return {};
    found.packed = front[0] == 1;
    front.remove_prefix(2);
    for (int word = 0; word < 2; ++word) {  // the language, and the keyword in it
      if (!TakeWord(front, other)) return {};
    }
  } else if (std::memcmp(tag, "tEXt", 4) != 0) {
    return {};
  }
  found.keyword = keyword;
  found.begin = begin + (count - front.size());
  found.length = length - (count - front.size());
  return found;
}

std::string ReadPngText(const FileBytes& file, const PngText& found) {
  std::string stored(std::min<std::uint64_t>(found.length, kMostTextBytes), '\0');
  stored.resize(file.ReadSome(found.begin, stored.data(), stored.size()));
  return found.packed ? Inflated(stored) : stored;
}

}  // namespace weir
