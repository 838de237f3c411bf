#include "framework/config/duration.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string Parsed(std::string_view text) {
  const auto result = ParseDuration(text);
  if (const auto* reason = std::get_if<std::string>(&result)) return *reason;
  return std::to_string(std::get<Duration>(result).seconds);
}

TEST(Duration, ReadsWhatPeopleWrite) {
  EXPECT_EQ(Parsed("90s"), "90.000000");
  EXPECT_EQ(Parsed("1.5min"), "90.000000");
  EXPECT_EQ(Parsed("250ms"), "0.250000");
  EXPECT_EQ(Parsed("2 h"), "7200.000000");
  EXPECT_EQ(Parsed("1d"), "86400.000000");
  EXPECT_EQ(Parsed("60"), "60.000000");
  EXPECT_EQ(Parsed("0"), "0.000000");
}

TEST(Duration, SaysWhyItCannotReadTheRest) {
  EXPECT_EQ(Parsed("5m"), "`5m` has no unit that weir knows; write ms, s, min, h or d");
  EXPECT_EQ(Parsed("5  s"), "`5  s` has no unit that weir knows; write ms, s, min, h or d");
  EXPECT_EQ(Parsed("-1s"), "`-1s` is negative");
  EXPECT_EQ(Parsed("soon"), "`soon` is not a length of time such as 90s");
  EXPECT_EQ(Parsed("inf"), "`inf` is not a length of time such as 90s");
  EXPECT_EQ(Parsed(""), "`` is not a length of time such as 90s");
}

TEST(Duration, IsWrittenSoThatItReadsBack) {
  EXPECT_EQ(ToText(Duration{60}), "1min");
  EXPECT_EQ(ToText(Duration{90}), "1.5min");
  EXPECT_EQ(ToText(Duration{100}), "100s");
  EXPECT_EQ(ToText(Duration{7200}), "2h");
  EXPECT_EQ(ToText(Duration{0}), "0s");
  for (const double seconds : {0.001, 0.1, 0.25, 1.0, 1.5, 1e-7, 12345.678, 86400.0, 1e9}) {
    const std::string text = ToText(Duration{seconds});
    EXPECT_EQ(std::get<Duration>(ParseDuration(text)).seconds, seconds) << text;
  }
}

}  // namespace
}  // namespace weir
