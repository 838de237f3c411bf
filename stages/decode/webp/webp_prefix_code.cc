#include "stages/decode/webp/webp_prefix_code.h"

namespace weir {

bool PrefixCode::Build(std::span<const std::uint8_t> lengths) {
  count_.fill(0);
  for (const std::uint8_t length : lengths) ++count_[length];
  const std::size_t coded = lengths.size() - count_[0];
  count_[0] = 0;
  std::uint32_t filled = 0;
  for (int length = 1; length <= kLongest; ++length) {
    filled += std::uint32_t{count_[length]} << (kLongest - length);
  }
  if (coded == 0 || (coded > 1 && filled != 1u << kLongest)) return false;
  std::array<std::uint16_t, kLongest + 2> next{};
  for (int length = 1; length <= kLongest; ++length) {
    next[length + 1] = static_cast<std::uint16_t>(next[length] + count_[length]);
  }
  symbols_.resize(coded);
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    if (lengths[symbol] != 0) {
      symbols_[next[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
    }
  }
  if (coded > 1) FillTable();
  return true;
}

std::uint16_t PrefixCode::Read(LowBitReader& bits) const {
  if (is_constant()) return first();
  const std::uint32_t ahead = bits.Peek(kLongest);
  if (const Entry entry = table_[ahead & ((1u << kTableBits) - 1)]; entry.length > 0) {
    bits.Skip(entry.length);
    return entry.symbol;
  }
  // `code` counts from the first code of this length on; `index` is the symbol of that.
  std::uint32_t code = 0, first = 0, index = 0;
  for (int length = 1; length <= kLongest; ++length) {
    code |= ahead >> (length - 1) & 1;
    if (code - first < count_[length]) {
      bits.Skip(length);
      return symbols_[index + code - first];
    }
    index += count_[length];
    first = (first + count_[length]) << 1;
    code <<= 1;
  }
  return 0;  // a whole code has a symbol for any bits
}

void PrefixCode::FillTable() {
  table_.fill({});
  std::uint32_t code = 0, index = 0;
  for (int length = 1; length <= kTableBits; ++length, code <<= 1) {
    for (int i = 0; i < count_[length]; ++i, ++code, ++index) {
      std::uint32_t reversed = 0;
      for (int bit = 0; bit < length; ++bit) {
        reversed |= (code >> bit & 1) << (length - 1 - bit);
      }
      for (std::uint32_t at = reversed; at < table_.size(); at += 1u << length) {
        table_[at] = {symbols_[index], static_cast<std::uint8_t>(length)};
      }
    }
  }
}

bool PrefixCode::ReadFrom(LowBitReader& bits, std::size_t alphabet) {
  std::vector<std::uint8_t> lengths(std::max<std::size_t>(alphabet, 256));
  const std::span<const std::uint8_t> of_alphabet = std::span(lengths).first(alphabet);
  if (bits.Read(1)) {
    const bool two = bits.Read(1) != 0;
    lengths[bits.Read(bits.Read(1) ? 8 : 1)] = 1;
    if (two) lengths[bits.Read(8)] = 1;
    return Build(of_alphabet);
  }
  constexpr std::array<int, 19> kOrder = {17, 18, 0, 1,  2,  3,  4,  5,  16, 6,
                                          7,  8,  9, 10, 11, 12, 13, 14, 15};
  std::array<std::uint8_t, 19> code_lengths{};
  const std::size_t said = bits.Read(4) + 4;
  for (std::size_t i = 0; i < said; ++i) {
    code_lengths[kOrder[i]] = static_cast<std::uint8_t>(bits.Read(3));
  }
  PrefixCode length_code;
  if (!length_code.Build(code_lengths)) return false;
  std::size_t left = alphabet;
  if (bits.Read(1)) {
    left = 2 + bits.Read(2 + 2 * static_cast<int>(bits.Read(3)));
    if (left > alphabet) return false;
  }
  std::uint8_t before = 8;
  for (std::size_t symbol = 0; symbol < alphabet && left > 0; --left) {
    const std::uint16_t said_length = length_code.Read(bits);
    if (said_length < 16) {
      lengths[symbol++] = static_cast<std::uint8_t>(said_length);
      if (said_length != 0) before = static_cast<std::uint8_t>(said_length);
      continue;
    }
    const std::size_t times = said_length == 16   ? 3 + bits.Read(2)
                              : said_length == 17 ? 3 + bits.Read(3)
                                                  : 11 + bits.Read(7);
    if (symbol + times > alphabet) return false;
    std::fill_n(&lengths[symbol], times, said_length == 16 ? before : std::uint8_t{0});
    symbol += times;
  }
  return Build(of_alphabet);
}

}  // namespace weir
