#include "stages/decode/tiff/tiff_directory.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr unsigned kClassic = 42, kBigTiff = 43;

// Bytes of a value of each type; types that are not known count as the largest.
constexpr std::array<int, 19> kSizes = {8, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 8, 8, 8, 8, 8};

int SizeOf(std::uint32_t type) { return type < kSizes.size() ? kSizes[type] : 8; }

bool IsInteger(std::uint32_t type) {
  enum Type : std::uint32_t { kByte = 1, kShort = 3, kLong = 4, kLong8 = 16 };
  return type == kByte || type == kShort || type == kLong || type == kLong8;
}

}  // namespace

std::uint64_t TiffDirectory::Number(const unsigned char* at, int bytes) const {
  std::uint64_t number = 0;
  for (int i = 0; i < bytes; ++i) number = number << 8 | at[little_ ? bytes - 1 - i : i];
  return number;
}

bool TiffDirectory::Open() {
  std::array<unsigned char, 16> start;
  if (!file_.Read(0, start.data(), 8)) return false;
  if (start[0] != start[1] || (start[0] != 'I' && start[0] != 'M')) return false;
  little_ = start[0] == 'I';
  const std::uint64_t version = Number(&start[2], 2);
  big_tiff_ = version == kBigTiff;
  if (version != kClassic && !big_tiff_) return false;
  if (big_tiff_ && (!file_.Read(0, start.data(), 16) || Number(&start[4], 2) != 8)) {
    return false;
  }
  const int count_bytes = big_tiff_ ? 8 : 2;
  const std::uint64_t offset = big_tiff_ ? Number(&start[8], 8) : Number(&start[4], 4);
  at_ = offset;
  if (!file_.Read(at_, start.data(), count_bytes)) return false;
  entries_ = Number(start.data(), count_bytes);
  left_ = std::min(entries_, kMostEntries);
  at_ += count_bytes;
  return true;
}

std::optional<std::uint64_t> TiffDirectory::Value(const TiffEntry& entry, std::uint64_t index) {
  if (!IsInteger(entry.type) || index >= entry.count) return std::nullopt;
  std::array<unsigned char, 8> value;
  const int size = SizeOf(entry.type);
  if (!file_.Read(entry.at + index * size, value.data(), size)) return std::nullopt;
  return Number(value.data(), size);
}

std::optional<TiffEntry> TiffDirectory::Next() {
  std::array<unsigned char, 20> bytes;
  const int offset_bytes = big_tiff_ ? 8 : 4;
  const int entry_bytes = 4 + 2 * offset_bytes;
  if (left_ == 0 || !file_.Read(at_, bytes.data(), entry_bytes)) return std::nullopt;
  --left_;
  at_ += entry_bytes;
  TiffEntry entry;
  entry.tag = static_cast<std::uint32_t>(Number(&bytes[0], 2));
  entry.type = static_cast<std::uint32_t>(Number(&bytes[2], 2));
  entry.count = Number(&bytes[4], offset_bytes);
  const auto size = static_cast<std::uint64_t>(SizeOf(entry.type));
  constexpr std::uint64_t kNoFileIsLonger = std::uint64_t{1} << 62;
  entry.value_bytes = entry.count > kNoFileIsLonger / 8 ? kNoFileIsLonger : size * entry.count;
  const std::uint64_t offset = Number(&bytes[4 + offset_bytes], offset_bytes);
  entry.at = entry.value_bytes <= static_cast<std::uint64_t>(offset_bytes)
                 ? at_ - offset_bytes
                 : std::min(offset, kNoFileIsLonger);
  entry.first = Value(entry, 0).value_or(0);
  return entry;
}

}  // namespace weir
