// Amounts of memory as people write them: 512MiB, 1.5GiB, 256MB, 4096.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace weir {

struct ByteSize {
  std::uint64_t bytes = 0;
  friend auto operator<=>(const ByteSize&, const ByteSize&) = default;
};

// Reads digits, up to six decimals and a unit: B, KiB, MiB, GiB, TiB (powers of 1024), KB, MB, GB,
// TB (powers of 1000), in any case, after at most one space. A number without a unit is bytes and
// has no decimals. A fraction of a byte is dropped (0.1GiB is 107374182). Returns the size, or why
// there is none ("`512M` has no unit that weir knows; write 512MiB or 512MB").
std::variant<ByteSize, std::string> ParseByteSize(std::string_view text);

// Exact, and read back to the same number: "512MiB", "1.5GiB", "107374182".
std::string ToText(ByteSize size);

// Rounded up, as it is written in a configuration: "143MiB".
std::string ToWholeMebibytes(ByteSize size);

// To three digits, for people: "412 MiB", "1.27 GiB", "96 B".
std::string ToRoundText(ByteSize size);

}  // namespace weir
