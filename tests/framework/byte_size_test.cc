#include "framework/byte_size.h"

#include <gtest/gtest.h>

#include <random>

namespace weir {
namespace {

std::string Parsed(std::string_view text) {
  const auto result = ParseByteSize(text);
  if (const auto* reason = std::get_if<std::string>(&result)) return *reason;
  return std::to_string(std::get<ByteSize>(result).bytes);
}

TEST(ByteSize, ReadsWhatPeopleWrite) {
  EXPECT_EQ(Parsed("512MiB"), "536870912");
  EXPECT_EQ(Parsed("1.5GiB"), "1610612736");
  EXPECT_EQ(Parsed("256MB"), "256000000");
  EXPECT_EQ(Parsed("1.001GB"), "1001000000");
  EXPECT_EQ(Parsed("2 tib"), "2199023255552");
  EXPECT_EQ(Parsed("64kB"), "64000");
  EXPECT_EQ(Parsed("7B"), "7");
  EXPECT_EQ(Parsed("4096"), "4096");
  EXPECT_EQ(Parsed("0"), "0");
  EXPECT_EQ(Parsed("0.1GiB"), "107374182");
  EXPECT_EQ(Parsed("18446744073709551615"), "18446744073709551615");
}

TEST(ByteSize, SaysWhyItCannotReadTheRest) {
  EXPECT_EQ(Parsed("512M"), "`512M` has no unit that weir knows; write 512MiB or 512MB");
  EXPECT_EQ(Parsed("1.5g"), "`1.5g` has no unit that weir knows; write 1.5GiB or 1.5GB");
  EXPECT_EQ(Parsed("5 apples"), "`5 apples` has no unit that weir knows; write MiB, GiB, MB or GB");
  EXPECT_EQ(Parsed("5  MiB"), "`5  MiB` has no unit that weir knows; write MiB, GiB, MB or GB");
  EXPECT_EQ(Parsed("5."), "`5.` has no unit that weir knows; write MiB, GiB, MB or GB");
  EXPECT_EQ(Parsed("-5MiB"), "`-5MiB` is not a size such as 512MiB");
  EXPECT_EQ(Parsed("lots"), "`lots` is not a size such as 512MiB");
  EXPECT_EQ(Parsed(""), "`` is not a size such as 512MiB");
  EXPECT_EQ(Parsed("1.5"), "`1.5` is not a whole number of bytes");
  EXPECT_EQ(Parsed("1.1234567GiB"), "`1.1234567GiB` has more than six decimals");
  EXPECT_EQ(Parsed("18446744073709551616"), "`18446744073709551616` is too large");
  EXPECT_EQ(Parsed("16777216TiB"), "`16777216TiB` is too large");
}

TEST(ByteSize, PrintsExactly) {
  EXPECT_EQ(ToText({0}), "0");
  EXPECT_EQ(ToText({536870912}), "512MiB");
  EXPECT_EQ(ToText({1610612736}), "1.5GiB");
  EXPECT_EQ(ToText({107374182}), "107374182");
  EXPECT_EQ(ToText({512}), "512");
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const ByteSize size{random() >> (i % 64) << (i % 41)};
    EXPECT_EQ(Parsed(ToText(size)), std::to_string(size.bytes));
  }
}

TEST(ByteSize, RoundsForPeople) {
  EXPECT_EQ(ToRoundText({96}), "96 B");
  EXPECT_EQ(ToRoundText({0}), "0 B");
  EXPECT_EQ(ToRoundText({432013312}), "412 MiB");
  EXPECT_EQ(ToRoundText({1363148800}), "1.27 GiB");
  EXPECT_EQ(ToRoundText({13000000}), "12.4 MiB");
  EXPECT_EQ(ToRoundText({1073741823}), "1.00 GiB");
}

}  // namespace
}  // namespace weir
